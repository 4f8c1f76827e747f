// The workloads of ../workloads in Go: bench <workload> <n> <ms> prints the figure as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func expect(got, want int) {
	if got != want {
		panic(fmt.Sprintf("wrong result: %d, not %d", got, want))
	}
}

func expectSum(sum, n int) { expect(sum, n*(n-1)/2) }

func exchange(capacity int) func(int) {
	return func(n int) {
		ch := make(chan int, capacity)
		go func() {
			for i := 0; i < n; i++ {
				ch <- i
			}
		}()
		sum := 0
		for i := 0; i < n; i++ {
			sum += <-ch
		}
		expectSum(sum, n)
	}
}

func pingPong(n int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < n; i++ {
			back <- <-there
		}
	}()
	sum := 0
	for i := 0; i < n; i++ {
		there <- i
		sum += <-back
	}
	expectSum(sum, n)
}

func fanIn(width int) func(int) {
	return func(n int) {
		ch := make(chan int)
		for from := 0; from < width; from++ {
			go func(from int) {
				for i := from; i < n; i += width {
					ch <- i
				}
			}(from)
		}
		sum := 0
		for i := 0; i < n; i++ {
			sum += <-ch
		}
		expectSum(sum, n)
	}
}

func fanOut(width int) func(int) {
	return func(n int) {
		ch := make(chan int)
		var wg sync.WaitGroup
		var sum int64
		for index := 0; index < width; index++ {
			wg.Add(1)
			go func(index int) {
				defer wg.Done()
				part := 0
				for i := index; i < n; i += width {
					part += <-ch
				}
				atomic.AddInt64(&sum, int64(part))
			}(index)
		}
		for i := 0; i < n; i++ {
			ch <- i
		}
		wg.Wait()
		expectSum(int(sum), n)
	}
}

// It is left parked at the end: a select with a way to stop it would be measured, too.
func produce(ch chan int) {
	for i := 0; ; i++ {
		ch <- i
	}
}

// Two and eight cases are written out, as one would; 64 by reflect, where there is no other way short of 64 lines.
func selectFrom(chs []chan int) func() (int, int) {
	switch len(chs) {
	case 2:
		return func() (int, int) {
			select {
			case v := <-chs[0]:
				return 0, v
			case v := <-chs[1]:
				return 1, v
			}
		}
	case 8:
		return func() (int, int) {
			select {
			case v := <-chs[0]:
				return 0, v
			case v := <-chs[1]:
				return 1, v
			case v := <-chs[2]:
				return 2, v
			case v := <-chs[3]:
				return 3, v
			case v := <-chs[4]:
				return 4, v
			case v := <-chs[5]:
				return 5, v
			case v := <-chs[6]:
				return 6, v
			case v := <-chs[7]:
				return 7, v
			}
		}
	}
	cases := make([]reflect.SelectCase, len(chs))
	for i, ch := range chs {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
	}
	return func() (int, int) {
		index, value, _ := reflect.Select(cases)
		return index, int(value.Int())
	}
}

func channels(width int) []chan int {
	chs := make([]chan int, width)
	for i := range chs {
		chs[i] = make(chan int)
	}
	return chs
}

func selectReady(width int) func(int) {
	return func(n int) {
		chs := channels(width)
		for _, ch := range chs {
			go produce(ch)
		}
		next := make([]int, width)
		pick := selectFrom(chs)
		for i := 0; i < n; i++ {
			index, value := pick()
			expect(value, next[index])
			next[index]++
		}
	}
}

func selectParks(width int) func(int) {
	return func(n int) {
		chs := channels(width)
		turn := make(chan int)
		go func() {
			for i := range turn {
				chs[i%width] <- i
			}
		}()
		pick := selectFrom(chs)
		for i := 0; i < n; i++ {
			turn <- i
			_, value := pick()
			expect(value, i)
		}
		close(turn)
	}
}

func daisy(n int) {
	last := make(chan int)
	left := last
	for i := 0; i < n; i++ {
		right := make(chan int)
		go func(left, right chan int) { left <- 1 + <-right }(left, right)
		left = right
	}
	go func() { left <- 0 }()
	expect(<-last, n)
}

func sieve(count int) {
	source := make(chan int)
	go func(to chan int) {
		for i := 2; ; i++ {
			to <- i
		}
	}(source)
	prime := 0
	for i := 0; i < count; i++ {
		prime = <-source
		to := make(chan int)
		// The filters are left parked, as in the tour of Go: a select in each would measure select.
		go func(from, to chan int, prime int) {
			for {
				if v := <-from; v%prime != 0 {
					to <- v
				}
			}
		}(source, to, prime)
		source = to
	}
	if count == 2000 {
		expect(prime, 17389)
	}
}

func childContext(n int) {
	parent, cancel := context.WithCancel(context.Background())
	defer cancel()
	count := 0
	for i := 0; i < n; i++ {
		child, cancel := context.WithCancel(parent)
		cancel()
		if child.Err() != nil {
			count++
		}
	}
	expect(count, n)
}

func children(n int) {
	parent, cancel := context.WithCancel(context.Background())
	all := make([]context.Context, n)
	for i := range all {
		child, release := context.WithCancel(parent)
		_ = release
		all[i] = child
	}
	cancel()
	count := 0
	for _, child := range all {
		if child.Err() != nil {
			count++
		}
	}
	expect(count, n)
}

func parked(n int) {
	ch := make(chan int)
	var wg sync.WaitGroup
	var sum int64
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() {
			atomic.AddInt64(&sum, int64(<-ch))
			wg.Done()
		}()
	}
	for i := 0; i < n; i++ {
		ch <- i
	}
	wg.Wait()
	expectSum(int(sum), n)
}

// errgroup is no part of the standard library: its semaphore and its WaitGroup.
func tasks(limit int) func(int) {
	return func(n int) {
		sem := make(chan struct{}, limit)
		var wg sync.WaitGroup
		var count int64
		for i := 0; i < n; i++ {
			sem <- struct{}{}
			wg.Add(1)
			go func() {
				defer func() { <-sem; wg.Done() }()
				atomic.AddInt64(&count, 1)
			}()
		}
		wg.Wait()
		expect(int(count), n)
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

func bytesEach(n int, build func(n int) any) float64 {
	before := heap()
	kept := build(n)
	used := heap() - before
	runtime.KeepAlive(kept)
	return used / float64(n)
}

var memory = map[string]func(n int) any{
	"bytes of an idle channel": func(n int) any {
		kept := make([]chan int, n)
		for i := range kept {
			kept[i] = make(chan int)
		}
		return kept
	},
	"bytes of an idle context": func(n int) any {
		parent, release := context.WithCancel(context.Background())
		_ = release
		kept := make([]context.Context, n)
		for i := range kept {
			child, release := context.WithCancel(parent)
			_ = release
			kept[i] = child
		}
		return kept
	},
	"bytes of a parked receiver": func(n int) any {
		ch := make(chan int)
		for i := 0; i < n; i++ {
			go func() { <-ch }()
		}
		time.Sleep(200 * time.Millisecond)
		return ch
	},
}

func find(name string) (func(int), bool) {
	switch name {
	case "unbuffered":
		return exchange(0), true
	case "buffered 16":
		return exchange(16), true
	case "buffered 1,024":
		return exchange(1024), true
	case "ping-pong":
		return pingPong, true
	case "fan-in 100":
		return fanIn(100), true
	case "fan-out 100":
		return fanOut(100), true
	case "select 2, ready":
		return selectReady(2), true
	case "select 8, ready":
		return selectReady(8), true
	case "select 64, ready":
		return selectReady(64), true
	case "select 2, parks":
		return selectParks(2), true
	case "select 8, parks":
		return selectParks(8), true
	case "select 64, parks":
		return selectParks(64), true
	case "daisy chain":
		return daisy, true
	case "prime sieve":
		return sieve, true
	case "child context":
		return childContext, true
	case "tasks at limit 10":
		return tasks(10), true
	}
	switch {
	case strings.HasSuffix(name, " parked waiters"):
		return parked, true
	case strings.HasSuffix(name, " children"):
		return children, true
	}
	return nil, false
}

func main() {
	name := os.Args[1]
	n, _ := strconv.Atoi(os.Args[2])
	ms, _ := strconv.Atoi(os.Args[3])
	var figure float64
	if build, ok := memory[name]; ok {
		figure = bytesEach(n, build)
	} else if run, ok := find(name); ok {
		warm := n
		if warm > 20_000 {
			warm = 20_000
		}
		run(warm)
		runtime.GC()
		start := time.Now()
		runs := 0
		for runs == 0 || time.Since(start) < time.Duration(ms)*time.Millisecond {
			run(n)
			runs++
		}
		figure = float64(time.Since(start).Nanoseconds()) / float64(n*runs)
	} else {
		fmt.Fprintln(os.Stderr, "no such workload:", name)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]float64{"figure": figure})
}
