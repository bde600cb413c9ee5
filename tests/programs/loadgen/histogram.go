// SPDX-License-Identifier: Apache-2.0
package main

import (
	"math/bits"
	"time"
)

// Steps of a power of two: a value is known to 0.4 %.
const (
	stepBits = 8
	steps    = 1 << stepBits
	// 2^44 ns are five hours.
	powers = 44 - stepBits
)

// histogram counts durations in steps whose width grows with them.
type histogram struct {
	count  int
	max    time.Duration
	counts [(powers + 1) * steps]uint32
}

func step(value uint64) int {
	power := bits.Len64(value) - stepBits
	if power <= 0 {
		return int(value)
	}
	if power > powers {
		return (powers+1)*steps - 1
	}
	// The leading bit is implied by the power, hence half of each row stays empty.
	return power*steps + int(value>>uint(power))
}

// middle is the value that stands for a step.
func middle(index int) float64 {
	power := index / steps
	if power == 0 {
		return float64(index)
	}
	return (float64(index%steps) + 0.5) * float64(uint64(1)<<uint(power))
}

func (h *histogram) add(value time.Duration) {
	if value < 0 {
		value = 0
	}
	if value > h.max {
		h.max = value
	}
	h.counts[step(uint64(value))]++
	h.count++
}

func (h *histogram) merge(other *histogram) {
	h.count += other.count
	if other.max > h.max {
		h.max = other.max
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
}

// quantile returns microseconds; of nothing, 0.
func (h *histogram) quantile(q float64) float64 {
	if q >= 1 {
		return float64(h.max) / 1000
	}
	left := int(q * float64(h.count))
	for i, n := range h.counts {
		left -= int(n)
		if left < 0 {
			return middle(i) / 1000
		}
	}
	return 0
}
