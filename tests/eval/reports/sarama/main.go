// SPDX-License-Identifier: Apache-2.0

// Each message is sent by a producer of its own, which is not closed.
package main

import (
	"log"
	"time"

	"github.com/IBM/sarama"
)

type reporter struct{}

func (reporter) Error(args ...any)                 { log.Print(args...) }
func (reporter) Errorf(format string, args ...any) { log.Printf(format, args...) }
func (reporter) Fatal(args ...any)                 { log.Fatal(args...) }
func (reporter) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
func (reporter) Helper()                           {}

func broker() string {
	t := reporter{}
	b := sarama.NewMockBroker(t, 1)
	b.SetHandlerByMap(map[string]sarama.MockResponse{
		"MetadataRequest": sarama.NewMockMetadataResponse(t).
			SetBroker(b.Addr(), 1).SetLeader("events", 0, 1),
		"ProduceRequest": sarama.NewMockProduceResponse(t),
	})
	return b.Addr()
}

func send(peer string) {
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true
	p, err := sarama.NewAsyncProducer([]string{peer}, config)
	must(err)
	if repaired {
		defer p.Close()
	}
	p.Input() <- &sarama.ProducerMessage{Topic: "events", Value: sarama.StringEncoder("one")}
	select {
	case <-p.Successes():
	case err := <-p.Errors():
		log.Print(err)
	}
}

func main() {
	run(program{step: send, pause: 1500 * time.Millisecond, peer: broker})
}
