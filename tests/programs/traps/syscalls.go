// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// include/uapi/linux/prctl.h, seccomp.h
const (
	prSetSeccomp     = 22
	prSetTSC         = 26
	prSetNoNewPrivs  = 38
	prSetUserDisp    = 59
	dispatchOff      = 0
	dispatchOn       = 1
	selectorBlock    = 1
	tscEnable        = 1
	tscSigsegv       = 2
	modeFilter       = 2
	retErrno         = 0x00050000 | 38 // ENOSYS
	retKill          = 0x80000000      // the whole process
	retTrap          = 0x00030000
	retAllow         = 0x7fff0000
	firstProbeNumber = 335 // uretprobe, and 336, uprobe: what kernels call from a probed program's code
)

func prctl(option, a, b, c, d uintptr) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, a, b, c, d, 0); errno != 0 {
		return errno
	}
	return nil
}

// Whether system calls from elsewhere than the program's code are to be dispatched; read by the kernel.
var selector byte = selectorBlock

func sud(n int) error {
	start, size, err := ownCode()
	if err != nil {
		return err
	}
	return spawnUnder(n, func() error {
		return prctl(prSetUserDisp, dispatchOn, start, size, uintptr(unsafe.Pointer(&selector)))
	}, func() error {
		return prctl(prSetUserDisp, dispatchOff, 0, 0, 0)
	})
}

type filterStep struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type filterProgram struct {
	n     uint16
	first *filterStep
}

// filtered refuses in @action's way what no Go program calls: numbers that only the kernel's own
// trampolines use.
func filtered(action uint32) func(n int) error {
	steps := []filterStep{
		{0x20, 0, 0, 0},                    // load the number
		{0x15, 1, 0, firstProbeNumber},     // equal: refuse
		{0x15, 0, 1, firstProbeNumber + 1}, // not equal: allow
		{0x06, 0, 0, action},
		{0x06, 0, 0, retAllow},
	}
	return func(n int) error {
		return spawnUnder(n, func() error {
			program := filterProgram{uint16(len(steps)), &steps[0]}
			if err := prctl(prSetNoNewPrivs, 1, 0, 0, 0); err != nil {
				return err
			}
			return prctl(prSetSeccomp, modeFilter, uintptr(unsafe.Pointer(&program)), 0, 0)
		}, func() error { return nil }) // filters stay; the thread ends
	}
}

// noTSC: Go's clock reads the counter through the vDSO, and asks the kernel where there is none. (So
// nothing of Go runs in seccomp's strict mode, which takes the counter away and allows no such question.)
func noTSC(n int) error {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer file.Close()
	symbols, err := file.Symbols()
	if err != nil {
		return err
	}
	for _, symbol := range symbols {
		if symbol.Name == "runtime.vdsoClockgettimeSym" {
			atomic.StoreUintptr((*uintptr)(at(uintptr(symbol.Value))), 0)
			return spawnUnder(n, func() error { return prctl(prSetTSC, tscSigsegv, 0, 0, 0) },
				func() error { return prctl(prSetTSC, tscEnable, 0, 0, 0) })
		}
	}
	return fmt.Errorf("no vDSO to do without")
}
