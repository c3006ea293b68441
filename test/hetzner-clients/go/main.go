// The fake, driven by the official Go client. `npm run hetzner-clients` starts the fake and sets the environment.
//
// A line for each check, then `N passed, N failed`; exit code 1 if any failed. The faults that no client can bring about
// by itself are ordered at the fake's control endpoint.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

var (
	endpoint = os.Getenv("HCLOUD_ENDPOINT")
	control  = strings.TrimSuffix(endpoint, "/v1") + "/control"
	ctx      = context.Background()
	client   = clientOf(os.Getenv("HCLOUD_TOKEN"))
	readonly = clientOf(os.Getenv("HCLOUD_TOKEN_READONLY"))
	ips      = &client.FloatingIP
)

// It repeats as by default, five times, only without the pauses of seconds.
func clientOf(token string) *hcloud.Client {
	return hcloud.NewClient(
		hcloud.WithEndpoint(endpoint),
		hcloud.WithToken(token),
		hcloud.WithPollOpts(hcloud.PollOpts{BackoffFunc: hcloud.ConstantBackoff(100 * time.Millisecond)}),
		hcloud.WithRetryOpts(hcloud.RetryOpts{MaxRetries: 5, BackoffFunc: hcloud.ConstantBackoff(10 * time.Millisecond)}),
		hcloud.WithApplication("plenuslb-test", "1"),
	)
}

// must ends the check.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// must3 drops the response that most methods of the client give as well.
func must3[T any](value T, _ *hcloud.Response, err error) T {
	return must(value, err)
}

func same(found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Errorf("expected %#v, found %#v", expected, found))
	}
}

func refused(code hcloud.ErrorCode, err error) hcloud.Error {
	var found hcloud.Error
	if !errors.As(err, &found) {
		panic(fmt.Errorf("expected %s, found %v", code, err))
	}
	same(found.Code, code)
	if found.Response().Header.Get("X-Correlation-Id") == "" {
		panic(errors.New("no correlation id"))
	}
	return found
}

func controlled(method, path string, body any, answer any) {
	text := must(json.Marshal(body))
	request := must(http.NewRequest(method, control+path, bytes.NewReader(text)))
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		panic(fmt.Errorf("%s %s: %s", method, path, response.Status))
	}
	if answer != nil {
		must(0, json.NewDecoder(response.Body).Decode(answer))
	}
}

func fault(route string, what map[string]any, times int) {
	controlled("POST", "/faults", map[string]any{"route": route, "times": times, "fault": what}, nil)
}

type ledger struct {
	FloatingIps []struct{ ID int64 }
	Actions     []struct{ Status string }
	Requests    map[string]int
}

func readLedger() ledger {
	var found ledger
	controlled("GET", "/ledger", nil, &found)
	return found
}

// Each check begins with an empty project, but for its servers, and with nothing that still runs.
func clean() {
	for isRunning() {
		time.Sleep(50 * time.Millisecond)
	}
	controlled("DELETE", "/faults", nil, nil)
	for _, each := range readLedger().FloatingIps {
		controlled("DELETE", fmt.Sprintf("/floating_ips/%d", each.ID), nil, nil)
	}
}

func isRunning() bool {
	for _, each := range readLedger().Actions {
		if each.Status == "running" {
			return true
		}
	}
	return false
}

func server(name string) *hcloud.Server {
	return must3(client.Server.GetByName(ctx, name))
}

func options(change func(*hcloud.FloatingIPCreateOpts)) hcloud.FloatingIPCreateOpts {
	opts := hcloud.FloatingIPCreateOpts{Type: hcloud.FloatingIPTypeIPv4, HomeLocation: &hcloud.Location{Name: "fsn1"}}
	if change != nil {
		change(&opts)
	}
	return opts
}

func named(name string) func(*hcloud.FloatingIPCreateOpts) {
	return func(opts *hcloud.FloatingIPCreateOpts) { opts.Name = hcloud.Ptr(name) }
}

func create(change func(*hcloud.FloatingIPCreateOpts)) *hcloud.FloatingIP {
	return must3(ips.Create(ctx, options(change))).FloatingIP
}

func reload(floatingIP *hcloud.FloatingIP) *hcloud.FloatingIP {
	return must3(ips.GetByID(ctx, floatingIP.ID))
}

func wait(action *hcloud.Action, _ *hcloud.Response, err error) {
	must(0, err)
	must(0, client.Action.WaitFor(ctx, action))
}

func remove(floatingIP *hcloud.FloatingIP) error {
	_, err := ips.Delete(ctx, floatingIP)
	return err
}

func count(selector string) int {
	opts := hcloud.FloatingIPListOpts{ListOpts: hcloud.ListOpts{LabelSelector: selector}}
	return len(must(ips.AllWithOpts(ctx, opts)))
}

type check struct {
	name string
	run  func()
}

func main() {
	passed, failed := 0, 0
	for _, each := range checks {
		if err := attempt(each); err == nil {
			passed++
			fmt.Println("ok  ", each.name)
		} else {
			failed++
			fmt.Println("FAIL", each.name+":", err)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}

func attempt(each check) (err error) {
	defer func() {
		if found := recover(); found != nil {
			err = fmt.Errorf("%v", found)
		}
	}()
	clean()
	each.run()
	return nil
}

// A connection that broke after the request was sent.
func isBroken(err error) bool {
	var operation *net.OpError
	return err != nil && (errors.As(err, &operation) || strings.Contains(err.Error(), "EOF"))
}
