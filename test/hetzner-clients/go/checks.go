package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hetznercloud/hcloud-go/v2/hcloud"
)

var checks = []check{
	{"servers are listed", serversAreListed},
	{"locations are listed", locationsAreListed},
	{"both types are created", bothTypesAreCreated},
	{"created on a server", createdOnAServer},
	{"pages and labels", pagesAndLabels},
	{"update replaces labels", updateReplacesLabels},
	{"assign, move, unassign, delete", assignMoveUnassignDelete},
	{"two actions are waited for at once", twoActionsAtOnce},
	{"protection", protection},
	{"reverse DNS", reverseDNS},
	{"locked", locked},
	{"unassign twice", unassignTwice},
	{"names are unique", namesAreUnique},
	{"inputs are checked", inputsAreChecked},
	{"limit of the project", limitOfTheProject},
	{"limit of a server", limitOfAServer},
	{"families", families},
	{"tokens", tokens},
	{"routes", routes},
	{"codes that are final for the client", finalCodes},
	{"codes that the client repeats", repeatedCodes},
	{"HTML from the edge buys again and again", htmlFromTheEdge},
	{"a lost reply has bought", lostReply},
	{"an action that fails", failingAction},
	{"an action that vanishes", vanishingAction},
	{"an action without effect", muteAction},
	{"the ledger counts", ledgerCounts},
}

const assignRoute = "POST /floating_ips/{id}/actions/assign"

func serversAreListed() {
	same(len(must(client.Server.All(ctx))), 3)
	one := server("node-2")
	same(one.Status, hcloud.ServerStatusRunning)
	same(one.Location.Name, "fsn1")
	same(one.ServerType.Name, "cpx11")
	same(one.PublicNet.IPv4.IP != nil && one.PublicNet.IPv6.Network != nil, true)
	same(server("node-9") == nil, true)
	opts := hcloud.ServerListOpts{ListOpts: hcloud.ListOpts{LabelSelector: "role=edge"}}
	edge := must(client.Server.AllWithOpts(ctx, opts))
	same([]string{edge[0].Name}, []string{"node-1"})
	opts.LabelSelector = "role!=edge"
	same(len(must(client.Server.AllWithOpts(ctx, opts))), 2)
	off := hcloud.ServerListOpts{Status: []hcloud.ServerStatus{hcloud.ServerStatusOff}}
	controlled("PUT", "/servers/node-3", map[string]any{"status": "off"}, nil)
	same(must(client.Server.AllWithOpts(ctx, off))[0].Name, "node-3")
	controlled("PUT", "/servers/node-3", map[string]any{"status": "running"}, nil)
}

func locationsAreListed() {
	same(len(must(client.Location.All(ctx))), 6)
	same(must3(client.Location.GetByName(ctx, "hel1")).NetworkZone, hcloud.NetworkZoneEUCentral)
}

func bothTypesAreCreated() {
	v4 := create(func(opts *hcloud.FloatingIPCreateOpts) {
		opts.Name = hcloud.Ptr("edge one")
		opts.Description = hcloud.Ptr("demo")
		opts.Labels = map[string]string{"team": "web"}
	})
	same(v4.Name+"|"+v4.Description+"|"+v4.Labels["team"]+"|"+v4.HomeLocation.Name, "edge one|demo|web|fsn1")
	v6 := create(func(opts *hcloud.FloatingIPCreateOpts) { opts.Type = hcloud.FloatingIPTypeIPv6 })
	ones, bits := v6.Network.Mask.Size()
	same([]int{ones, bits}, []int{64, 128})
	same(must3(ips.GetByName(ctx, "edge one")).ID, v4.ID)
	same(must3(ips.Get(ctx, fmt.Sprint(v4.ID))).ID, v4.ID)
}

func createdOnAServer() {
	target := server("node-2")
	result := must3(ips.Create(ctx, options(func(opts *hcloud.FloatingIPCreateOpts) {
		opts.HomeLocation = nil
		opts.Server = target
	})))
	wait(result.Action, nil, nil)
	same(reload(result.FloatingIP).Server.ID, target.ID)
	same(server("node-2").PublicNet.FloatingIPs[0].ID, result.FloatingIP.ID)
}

func pagesAndLabels() {
	for n := range 60 {
		create(func(opts *hcloud.FloatingIPCreateOpts) {
			opts.Labels = map[string]string{"team": "web", "half": []string{"a", "b"}[n%2]}
		})
	}
	same(count("team=web"), 60)
	same(count("half in (a,c),team"), 30)
	same(count("half notin (a)"), 30)
	same(count("!team"), 0)
	opts := hcloud.FloatingIPListOpts{ListOpts: hcloud.ListOpts{PerPage: 50}, Sort: []string{"created:desc", "id:desc"}}
	page, response, err := ips.List(ctx, opts)
	must(0, err)
	same(len(page), 50)
	same(response.Meta.Pagination.NextPage, 2)
	same(response.Meta.Pagination.TotalEntries, 60)
	same(page[0].ID > page[49].ID, true)
	same(response.Meta.Ratelimit.Limit, 3600)
	opts.PerPage = 51
	_, _, err = ips.List(ctx, opts)
	refused(hcloud.ErrorCodeInvalidInput, err)
}

func updateReplacesLabels() {
	one := create(func(opts *hcloud.FloatingIPCreateOpts) { opts.Labels = map[string]string{"a": "1", "b": "2"} })
	update := hcloud.FloatingIPUpdateOpts{Labels: map[string]string{"c": "3"}, Name: "other"}
	after := must3(ips.Update(ctx, one, update))
	same(after.Labels, map[string]string{"c": "3"})
	same(after.Name, "other")
	after = must3(ips.Update(ctx, one, hcloud.FloatingIPUpdateOpts{}))
	same(after.Labels, map[string]string{"c": "3"})
	after = must3(ips.Update(ctx, one, hcloud.FloatingIPUpdateOpts{Labels: map[string]string{}}))
	same(after.Labels, map[string]string{})
}

func assignMoveUnassignDelete() {
	one := create(nil)
	for _, name := range []string{"node-1", "node-2"} {
		target := server(name)
		action := must3(ips.Assign(ctx, one, target))
		same(action.Status, hcloud.ActionStatusRunning)
		wait(action, nil, nil)
		same(reload(one).Server.ID, target.ID)
	}
	refused("must_be_unassigned", remove(one))
	wait(ips.Unassign(ctx, one))
	same(reload(one).Server == nil, true)
	must(0, remove(one))
	refused(hcloud.ErrorCodeNotFound, remove(one))
	same(reload(one) == nil, true)
}

func twoActionsAtOnce() {
	first, second := create(nil), create(nil)
	a := must3(ips.Assign(ctx, first, server("node-1")))
	b := must3(ips.Assign(ctx, second, server("node-2")))
	must(0, client.Action.WaitFor(ctx, a, b))
	same(reload(first).Server != nil && reload(second).Server != nil, true)
}

func protection() {
	one := create(nil)
	wait(ips.ChangeProtection(ctx, one, hcloud.FloatingIPChangeProtectionOpts{Delete: hcloud.Ptr(true)}))
	same(reload(one).Protection.Delete, true)
	same(refused(hcloud.ErrorCodeProtected, remove(one)).Message, "Floating IP deletion is protected")
	wait(ips.ChangeProtection(ctx, one, hcloud.FloatingIPChangeProtectionOpts{Delete: hcloud.Ptr(false)}))
	must(0, remove(one))
}

func reverseDNS() {
	one := create(func(opts *hcloud.FloatingIPCreateOpts) { opts.Type = hcloud.FloatingIPTypeIPv6 })
	address := one.IP.String() + "1"
	wait(ips.ChangeDNSPtr(ctx, one, address, hcloud.Ptr("mail.example.com")))
	same(reload(one).DNSPtr, map[string]string{address: "mail.example.com"})
	wait(ips.ChangeDNSPtr(ctx, one, address, nil))
	same(len(reload(one).DNSPtr), 0)
}

func locked() {
	one := create(nil)
	action := must3(ips.Assign(ctx, one, server("node-1")))
	_, _, err := ips.Unassign(ctx, one)
	refused(hcloud.ErrorCodeLocked, err)
	same(server("node-1").Locked, true)
	wait(action, nil, nil)
	wait(ips.Unassign(ctx, one))
}

func unassignTwice() {
	_, _, err := ips.Unassign(ctx, create(nil))
	message := refused(hcloud.ErrorCodeServiceError, err).Message
	same(message, "cannot unassign Floating IP because it is not assigned to a server")
}

func namesAreUnique() {
	create(named("edge"))
	create(func(opts *hcloud.FloatingIPCreateOpts) {
		opts.Name = hcloud.Ptr("edge")
		opts.Type = hcloud.FloatingIPTypeIPv6
	})
	_, _, err := ips.Create(ctx, options(named("edge")))
	// This client decodes the details of no code but invalid_input and deprecated_api_endpoint.
	same(refused(hcloud.ErrorCodeUniquenessError, err).Message, "name is already used")
}

func inputsAreChecked() {
	_, _, err := ips.Create(ctx, options(func(opts *hcloud.FloatingIPCreateOpts) {
		opts.Labels = map[string]string{"a": "b/c"}
	}))
	found := refused(hcloud.ErrorCodeInvalidInput, err)
	field := found.Details.(hcloud.ErrorDetailsInvalidInput).Fields[0]
	same(field.Name, "labels")
	same(len(field.Messages), 1)
	_, _, err = ips.Assign(ctx, create(nil), &hcloud.Server{ID: 4_000_000})
	refused(hcloud.ErrorCodeNotFound, err)
	same(ask("POST", "/floating_ips", "{"), hcloud.ErrorCodeJSONError)
}

// ask sends what the typed methods cannot.
func ask(method, path, body string) hcloud.ErrorCode {
	request := must(client.NewRequest(ctx, method, path, strings.NewReader(body)))
	_, err := client.Do(request, nil)
	var found hcloud.Error
	if !errors.As(err, &found) {
		panic(fmt.Errorf("%s %s was not refused: %v", method, path, err))
	}
	return found.Code
}

func limitOfTheProject() {
	for range 100 {
		controlled("POST", "/floating_ips", map[string]any{"type": "ipv4"}, nil)
	}
	_, _, err := ips.Create(ctx, options(nil))
	refused(hcloud.ErrorCodeResourceLimitExceeded, err)
}

func limitOfAServer() {
	target := server("node-3")
	for range 20 {
		controlled("POST", "/floating_ips", map[string]any{"type": "ipv4", "server": target.ID}, nil)
	}
	_, _, err := ips.Assign(ctx, create(nil), target)
	refused(hcloud.ErrorCodeResourceLimitExceeded, err)
}

func families() {
	controlled("POST", "/servers", map[string]any{"name": "v6only", "types": []string{"ipv6"}}, nil)
	defer controlled("DELETE", "/servers/v6only", nil, nil)
	target := server("v6only")
	same(target.PublicNet.IPv4.IsUnspecified(), true)
	_, _, err := ips.Assign(ctx, create(nil), target)
	refused("unsupported_error", err)
}

func tokens() {
	same(len(must(readonly.Server.All(ctx))), 3)
	_, _, err := readonly.FloatingIP.Create(ctx, options(nil))
	refused(hcloud.ErrorCodeForbidden, err)
	_, err = clientOf("wrong").Server.All(ctx)
	same(refused(hcloud.ErrorCodeUnauthorized, err).Message, "the token you have provided is invalid")
}

func routes() {
	same(ask("GET", "/gone", ""), hcloud.ErrorCodeNotFound)
	same(ask("PUT", "/servers", "{}"), hcloud.ErrorCode("method_not_allowed"))
	same(ask("GET", "/actions", ""), hcloud.ErrorCode("deprecated_api_endpoint"))
}

func finalCodes() {
	codes := "token_readonly maintenance resource_unavailable floating_ip_assigned server_error unavailable locked"
	for _, code := range strings.Fields(codes) {
		fault("GET /locations", map[string]any{"refuse": map[string]any{"code": code}}, 1)
		_, err := client.Location.All(ctx)
		refused(hcloud.ErrorCode(code), err)
	}
}

func repeatedCodes() {
	for _, code := range []string{"rate_limit_exceeded", "conflict", "bad_gateway", "timeout"} {
		refuse := map[string]any{"refuse": map[string]any{"code": code}}
		fault("GET /locations", refuse, 5)
		same(len(must(client.Location.All(ctx))), 6)
		fault("GET /locations", refuse, 6)
		_, err := client.Location.All(ctx)
		refused(hcloud.ErrorCode(code), err)
	}
}

func htmlFromTheEdge() {
	fault("POST /floating_ips", map[string]any{"badGateway": "after"}, 5)
	create(func(opts *hcloud.FloatingIPCreateOpts) { opts.Labels = map[string]string{"team": "web"} })
	same(count("team=web"), 6)
	fault("GET /locations", map[string]any{"badGateway": "before"}, 6)
	_, response, err := client.Location.List(ctx, hcloud.LocationListOpts{})
	same(err != nil, true)
	same(response.StatusCode, http.StatusBadGateway)
}

func lostReply() {
	fault("POST /floating_ips", map[string]any{"loseReply": true}, 1)
	_, _, err := ips.Create(ctx, options(named("orphan")))
	same(isBroken(err), true)
	same(must3(ips.GetByName(ctx, "orphan")).Name, "orphan")
}

func failingAction() {
	one := create(nil)
	fault(assignRoute, map[string]any{"action": map[string]any{"status": "error"}}, 1)
	err := client.Action.WaitFor(ctx, must3(ips.Assign(ctx, one, server("node-1"))))
	var failed hcloud.ActionError
	same(errors.As(err, &failed), true)
	same(failed.Code, "action_failed")
	same(reload(one).Server == nil, true)
}

func vanishingAction() {
	fault(assignRoute, map[string]any{"action": map[string]any{"vanishes": true}}, 1)
	action := must3(ips.Assign(ctx, create(nil), server("node-1")))
	err := client.Action.WaitFor(ctx, action)
	same(err != nil, true)
	same(must3(client.Action.GetByID(ctx, action.ID)) == nil, true)
}

func muteAction() {
	one := create(nil)
	fault(assignRoute, map[string]any{"action": map[string]any{"isMute": true}}, 1)
	wait(ips.Assign(ctx, one, server("node-1")))
	same(reload(one).Server == nil, true)
}

func ledgerCounts() {
	before := readLedger().Requests["GET /locations"]
	must(client.Location.All(ctx))
	same(readLedger().Requests["GET /locations"], before+1)
}
