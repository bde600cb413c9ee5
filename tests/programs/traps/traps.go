// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// In traps_amd64.s.
func int3()
func stepOn()
func stepOff()
func handlers() (trap, restorer uintptr)

var trapped int64 // counted by the handler

// struct kernel_sigaction, arch/x86/include/uapi/asm/signal.h
type sigaction struct {
	handler, flags, restorer, mask uintptr
}

const (
	onStack     = 0x08000000 // SA_ONSTACK: Go's own stacks are too small
	hasRestorer = 0x04000000 // SA_RESTORER
)

// Go's own handler would throw, whatever os/signal was told.
func handle(action *sigaction) error {
	var old sigaction
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGTRAP),
		uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(&old)), 8, 0, 0); errno != 0 {
		return errno
	}
	*action = old
	return nil
}

// handled is f with a handler for SIGTRAP; it must have run at least so many times.
func handled(least int, f func() error) error {
	trap, restorer := handlers()
	action := sigaction{handler: trap, flags: onStack | hasRestorer, restorer: restorer}
	atomic.StoreInt64(&trapped, 0)
	if err := handle(&action); err != nil {
		return err
	}
	err := f()
	if back := handle(&action); err == nil {
		err = back
	}
	if got := atomic.LoadInt64(&trapped); err == nil && got < int64(least) {
		err = fmt.Errorf("%d signals instead of %d", got, least)
	}
	return err
}

func breakpoint(n int) error {
	return handled(n, func() error {
		return onThread(func() error {
			for i := 0; i < n; i++ {
				int3()
				plain(1)
			}
			if got := atomic.LoadInt64(&trapped); got != int64(n) {
				return fmt.Errorf("%d signals for %d breakpoints", got, n)
			}
			return nil
		})
	})
}

// step is pinned: single-stepped, the scheduler would need longer than a goroutine may run at a time.
func step(n int) error {
	return handled(n*100, func() error {
		return onThread(func() error {
			var wg sync.WaitGroup
			for i := 0; i < n; i++ {
				procPin()
				stepOn()
				spawn(1, &wg)
				stepOff()
				procUnpin()
			}
			wg.Wait()
			return nil
		})
	})
}
