package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	cri "k8s.io/cri-client/pkg"
)

// removePods ends whatever a container runtime runs, at once, with mounts and networks: the cluster goes, so nobody
// else would.
func removePods() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: remove-pods unix://SOCKET")
		os.Exit(2)
	}
	runtime, err := cri.NewRemoteRuntimeService(os.Args[1], time.Minute, noop.NewTracerProvider(), nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	containers, err := runtime.ListContainers(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	forEach(containers, func(id string) error { return runtime.StopContainer(ctx, id, 0) })
	pods, err := runtime.ListPodSandbox(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	forEach(pods, func(id string) error {
		if err := runtime.StopPodSandbox(ctx, id); err != nil {
			return err
		}
		return runtime.RemovePodSandbox(ctx, id)
	})
}

func forEach[T interface{ GetId() string }](items []T, do func(id string) error) {
	var all sync.WaitGroup
	for _, item := range items {
		all.Go(func() {
			if err := do(item.GetId()); err != nil {
				log.Print(err)
			}
		})
	}
	all.Wait()
}
