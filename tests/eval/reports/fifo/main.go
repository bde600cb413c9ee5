// SPDX-License-Identifier: Apache-2.0

// Each task opens a fifo for its output, fails, and forgets it: nobody will ever open the other end.
package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/containerd/fifo"
)

var (
	folder string
	tasks  int
)

func task(string) {
	tasks++
	path := filepath.Join(folder, strconv.Itoa(tasks))
	f, err := fifo.OpenFifo(context.Background(), path,
		syscall.O_RDONLY|syscall.O_CREAT|syscall.O_NONBLOCK, 0o600)
	must(err)
	if repaired {
		_ = f.Close()
	}
}

func main() {
	folder = os.Getenv("FOLDER")
	run(program{step: task, pause: time.Second})
}
