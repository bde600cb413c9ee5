// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// ownCode is where the program's file is mapped to be executed.
func ownCode() (start, size uintptr, err error) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0, 0, err
	}
	defer maps.Close()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, 0, err
	}
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var end uintptr
		if !strings.HasSuffix(lines.Text(), exe) || !strings.Contains(lines.Text(), "xp ") {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &start, &end); err == nil {
			return start, end - start, nil
		}
	}
	return 0, 0, fmt.Errorf("no code of %s in /proc/self/maps", exe)
}

func protect(start, size, protection uintptr) error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_MPROTECT, start, size, protection); errno != 0 {
		return errno
	}
	return nil
}

const readExec = syscall.PROT_READ | syscall.PROT_EXEC

// at is memory that Go does not manage.
func at(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

func writable(n int) error {
	start, size, err := ownCode()
	if err != nil {
		return err
	}
	if err := protect(start, size, readExec|syscall.PROT_WRITE); err != nil {
		return err
	}
	for i := uintptr(0); i < size; i += 4096 {
		*(*byte)(at(start + i)) = *(*byte)(at(start + i)) // the page is the process's own from here on
	}
	err = plain(n)
	if err == nil {
		err = protect(start, size, readExec)
	}
	return err
}

// remap: other threads find the new mapping when they run on.
func remap(n int) error {
	start, size, err := ownCode()
	if err != nil {
		return err
	}
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer file.Close()
	offset := start - 0x400000 // where the linker puts a program that is not position-independent
	at, _, errno := syscall.RawSyscall6(syscall.SYS_MMAP, start, size, readExec,
		syscall.MAP_PRIVATE|syscall.MAP_FIXED, file.Fd(), offset)
	if errno != 0 || at != start {
		return fmt.Errorf("mmap: %v", errno)
	}
	return plain(n)
}

func locked(n int) error {
	if err := syscall.Mlockall(syscall.MCL_CURRENT | syscall.MCL_FUTURE); err != nil {
		return err
	}
	err := plain(n)
	if err == nil {
		err = syscall.Munlockall()
	}
	return err
}

func execOnly(n int) error {
	start, size, err := ownCode()
	if err != nil {
		return err
	}
	if err := protect(start, size, syscall.PROT_EXEC); err != nil {
		return err
	}
	err = plain(n)
	if err == nil {
		err = protect(start, size, readExec)
	}
	return err
}

const (
	childTime  = 2 * time.Second
	childTries = 5
)

// fork: the child has this thread alone, and whatever was in memory. One processor, or it would wake others;
// pinned to it, or it would make way for others. A lock of the runtime that another thread holds at this
// moment stays locked in the child: that one is given up, and another made.
func fork(n int) error {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	return onThread(func() error {
		for try := 0; ; try++ {
			ended, err := forkOnce(n)
			if err != nil {
				return err
			}
			if ended {
				return plain(n)
			}
			if try == childTries {
				return fmt.Errorf("of %d children none ended", try)
			}
		}
	})
}

func forkOnce(n int) (ended bool, err error) {
	procPin()
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if pid == 0 && errno == 0 {
		for i := 0; i < n; i++ {
			go brief(nil) // they never run
		}
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
	procUnpin()
	if errno != 0 {
		return false, errno
	}
	status, err := wait(int(pid))
	if err != nil || (status.Signaled() && status.Signal() == syscall.SIGKILL) {
		return false, err
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return false, fmt.Errorf("the child ended with %#x", int(status))
	}
	return true, nil
}

// wait waits for a child, which is killed when it takes too long.
func wait(pid int) (status syscall.WaitStatus, err error) {
	for end := time.Now().Add(childTime); ; time.Sleep(time.Millisecond) {
		found, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
		if err != nil || found == pid {
			return status, err
		}
		if time.Now().After(end) {
			break
		}
	}
	if err = syscall.Kill(pid, syscall.SIGKILL); err == nil {
		_, err = syscall.Wait4(pid, &status, 0, nil)
	}
	return status, err
}

func vfork(n int) error {
	for i := 0; i < 7; i++ {
		process, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
		if err != nil {
			return err
		}
		if err := plain(n / 7); err != nil {
			return err
		}
		state, err := process.Wait()
		if err != nil {
			return err
		}
		if !state.Success() {
			return fmt.Errorf("the child: %v", state)
		}
	}
	return plain(n - n/7*7)
}
