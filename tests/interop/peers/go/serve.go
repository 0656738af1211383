// The protocols that the tests and benchmarks speak, as tests/bench/protocols.js has them.
package main

import (
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	echoID = "/echo/1.0.0"
	perfID = "/perf/1.0.0"
)

func echo(s network.Stream) error {
	_, err := io.Copy(s, s)
	return err
}

// Reads to the end, then answers with the count: 8 bytes, big endian.
func sink(s network.Stream) error {
	n, err := io.Copy(io.Discard, s)
	if err != nil {
		return err
	}
	return binary.Write(s, binary.BigEndian, uint64(n))
}

// Reads how much, 8 bytes, and in what chunks, 4 bytes; sends that.
func source(s network.Stream) error {
	var head struct {
		Total uint64
		Chunk uint32
	}
	if err := binary.Read(s, binary.BigEndian, &head); err != nil {
		return err
	}
	return pour(s, head.Total, min(head.Chunk, 1<<20))
}

// /perf/1.0.0: 8 bytes say how much comes back once the upload has ended.
func perf(s network.Stream) error {
	var total uint64
	if err := binary.Read(s, binary.BigEndian, &total); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return err
	}
	return pour(s, total, 1<<16)
}

func pour(s network.Stream, total uint64, chunk uint32) error {
	bytes := make([]byte, max(chunk, 1))
	for i := range bytes {
		bytes[i] = byte(i)
	}
	for total > 0 {
		n, err := s.Write(bytes[:min(total, uint64(len(bytes)))])
		if err != nil {
			return err
		}
		total -= uint64(n)
	}
	return nil
}

func serve(h host.Host) {
	for id, answer := range map[protocol.ID]func(network.Stream) error{
		echoID:            echo,
		"/bench/echo/1":   echo,
		"/bench/sink/1":   sink,
		"/bench/source/1": source,
		perfID:            perf,
	} {
		h.SetStreamHandler(id, func(s network.Stream) {
			if answer(s) != nil {
				s.Reset()
				return
			}
			s.Close()
		})
	}
}
