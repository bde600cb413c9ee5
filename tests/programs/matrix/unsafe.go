// SPDX-License-Identifier: Apache-2.0

package main

import "unsafe"

func bufferAddress(buffer *[1]byte) uintptr { return uintptr(unsafe.Pointer(buffer)) }
