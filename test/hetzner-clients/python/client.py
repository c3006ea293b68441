"""The fake, driven by the official Python client. `npm run hetzner-clients` starts the fake and sets the environment.

A line for each check, then `N passed, N failed`; exit code 1 if any failed. The faults that no client can bring about
by itself are ordered at the fake's control endpoint.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import Any, Callable

import requests
from hcloud import APIException, Client
from hcloud.actions import ActionFailedException
from hcloud.locations import Location
from hcloud.servers import Server

endpoint = os.environ["HCLOUD_ENDPOINT"]
control = endpoint.removesuffix("/v1") + "/control"


def client_of(token: str) -> Client:
    client = Client(token=token, api_endpoint=endpoint, poll_interval=0.1)
    # As it retries by default, only without the pauses of seconds.
    client._client._retry_interval_func = lambda retries: 0.01
    return client


client = client_of(os.environ["HCLOUD_TOKEN"])
readonly = client_of(os.environ["HCLOUD_TOKEN_READONLY"])
ips = client.floating_ips
fsn1 = Location(name="fsn1")

passed = 0
failed = 0


def check(name: str, run: Callable[[], None]) -> None:
    global passed, failed
    try:
        run()
        passed += 1
        print(f"ok   {name}")
    except Exception:  # pylint: disable=broad-except
        failed += 1
        print(f"FAIL {name}\n{traceback.format_exc()}")


def same(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def error_of(run: Callable[[], Any]) -> APIException:
    try:
        run()
    except APIException as error:
        return error
    raise AssertionError("nothing was refused")


def refused(code: str, run: Callable[[], Any]) -> APIException:
    error = error_of(run)
    same(error.code, code)
    if not error.correlation_id:
        raise AssertionError("no correlation id")
    return error


def fault(route: str, what: dict[str, Any], times: int = 1) -> None:
    requests.post(f"{control}/faults", json={"route": route, "times": times, "fault": what}, timeout=5).raise_for_status()


def ledger() -> Any:
    return requests.get(f"{control}/ledger", timeout=5).json()


def create(**more: Any) -> Any:
    given = {"type": "ipv4", "home_location": fsn1, **more}
    if "server" in given:
        del given["home_location"]
    return ips.create(**given)


def clean() -> None:
    """Each check begins with an empty project, but for its servers, and with nothing that still runs."""
    while any(each["status"] == "running" for each in ledger()["actions"]):
        time.sleep(0.05)
    requests.delete(f"{control}/faults", timeout=5).raise_for_status()
    for each in ledger()["floatingIps"]:
        requests.delete(f"{control}/floating_ips/{each['id']}", timeout=5).raise_for_status()


def servers_are_listed() -> None:
    names = [each.name for each in client.servers.get_all()]
    same(names, ["node-1", "node-2", "node-3"])
    one = client.servers.get_by_name("node-2")
    same(one.status, "running")
    same(one.location.name, "fsn1")
    same(one.server_type.name, "cpx11")
    same(client.servers.get_by_name("node-9"), None)
    same([each.name for each in client.servers.get_all(label_selector="role=edge")], ["node-1"])
    same([each.name for each in client.servers.get_all(label_selector="role!=edge")], ["node-2", "node-3"])
    same(client.servers.get_by_id(one.id).public_net.ipv4.ip, one.public_net.ipv4.ip)


def locations_are_listed() -> None:
    zones = {each.name: each.network_zone for each in client.locations.get_all()}
    same(zones["hel1"], "eu-central")
    same(len(zones), 6)


def both_types_are_created() -> None:
    v4 = create(name="edge one", description="demo", labels={"team": "web"}).floating_ip
    v6 = create(type="ipv6").floating_ip
    same((v4.name, v4.description, v4.labels, v4.server), ("edge one", "demo", {"team": "web"}, None))
    same(v4.home_location.name, "fsn1")
    same(v6.ip.endswith("::/64"), True)
    same(ips.get_by_name("edge one").id, v4.id)


def created_on_a_server() -> None:
    server = client.servers.get_by_name("node-2")
    response = create(server=server)
    response.action.wait_until_finished()
    same(ips.get_by_id(response.floating_ip.id).server.id, server.id)
    same([each.id for each in client.servers.get_by_id(server.id).public_net.floating_ips], [response.floating_ip.id])


def pages_and_labels() -> None:
    for number in range(60):
        create(labels={"half": "a" if number % 2 else "b", "team": "web"})
    same(len(ips.get_all(label_selector="team=web")), 60)
    same(len(ips.get_all(label_selector="half in (a,c),team")), 30)
    same(len(ips.get_all(label_selector="half notin (a)")), 30)
    same(len(ips.get_all(label_selector="!team")), 0)
    first = ips.get_list(per_page=50)
    same((len(first.floating_ips), first.meta.pagination.next_page, first.meta.pagination.total_entries), (50, 2, 60))
    same(first.meta.pagination.previous_page, None)
    same(len(ips.get_list(page=2, per_page=50).floating_ips), 10)
    refused("invalid_input", lambda: ips.get_list(per_page=51))


def update_replaces_labels() -> None:
    one = create(labels={"a": "1", "b": "2"}).floating_ip
    same(one.update(labels={"c": "3"}).labels, {"c": "3"})
    same(one.update(name="other", description="").name, "other")
    same(one.update(labels={}).labels, {})


def assign_move_unassign_delete() -> None:
    one = create().floating_ip
    for name in ["node-1", "node-2"]:
        server = client.servers.get_by_name(name)
        action = one.assign(server)
        same((action.status, action.command), ("running", "assign_floating_ip"))
        action.wait_until_finished()
        one.reload()
        same(one.server.id, server.id)
    refused("must_be_unassigned", one.delete)
    one.unassign().wait_until_finished()
    one.reload()
    same(one.server, None)
    same([each.command for each in one.get_actions()], ["assign_floating_ip"] * 2 + ["unassign_floating_ip"])
    same(one.delete(), True)
    same(refused("not_found", one.reload).message, f"floating_ip with ID '{one.id}' not found")


def protection() -> None:
    one = create().floating_ip
    one.change_protection(delete=True).wait_until_finished()
    one.reload()
    same(one.protection, {"delete": True})
    same(refused("protected", one.delete).message, "Floating IP deletion is protected")
    one.change_protection(delete=False).wait_until_finished()
    same(one.delete(), True)


def reverse_dns() -> None:
    one = create(type="ipv6").floating_ip
    address = one.ip.removesuffix("/64") + "1"
    one.change_dns_ptr(address, "mail.example.com").wait_until_finished()
    one.reload()
    same(one.dns_ptr, [{"ip": address, "dns_ptr": "mail.example.com"}])


def locked() -> None:
    one = create().floating_ip
    server = client.servers.get_by_name("node-1")
    action = one.assign(server)
    refused("locked", one.unassign)
    running = [each.id for each in one.get_actions(status=["running"])]
    same(running, [action.id])
    action.wait_until_finished()
    one.unassign().wait_until_finished()


def unassign_twice() -> None:
    one = create().floating_ip
    error = refused("service_error", one.unassign)
    same(error.message, "cannot unassign Floating IP because it is not assigned to a server")


def names_are_unique() -> None:
    create(name="edge")
    create(name="edge", type="ipv6")
    error = refused("uniqueness_error", lambda: create(name="edge"))
    same((error.message, error.details), ("name is already used", {"fields": [{"name": "name"}]}))


def inputs_are_checked() -> None:
    same(refused("invalid_input", lambda: create(labels={"a": "b/c"})).details["fields"][0]["name"], "labels")
    refused("invalid_input", lambda: create(home_location=Location(name="moon")))
    refused("json_error", lambda: client._client.request("POST", "/floating_ips", data="{"))
    refused("not_found", lambda: create().floating_ip.assign(Server(id=4_000_000)))


def limit_of_the_project() -> None:
    for _ in range(100):
        requests.post(f"{control}/floating_ips", json={"type": "ipv4"}, timeout=5).raise_for_status()
    error = refused("resource_limit_exceeded", create)
    same(error.details, {"limits": [{"name": "floating_ip_limit"}]})


def limit_of_a_server() -> None:
    server = client.servers.get_by_name("node-3")
    for _ in range(20):
        body = {"type": "ipv4", "server": server.id}
        requests.post(f"{control}/floating_ips", json=body, timeout=5).raise_for_status()
    refused("resource_limit_exceeded", lambda: create().floating_ip.assign(server))


def families() -> None:
    body = {"name": "v6only", "types": ["ipv6"]}
    server = requests.post(f"{control}/servers", json=body, timeout=5).json()
    try:
        same(client.servers.get_by_id(server["id"]).public_net.ipv4, None)
        refused("unsupported_error", lambda: create().floating_ip.assign(Server(id=server["id"])))
        create(type="ipv6").floating_ip.assign(Server(id=server["id"])).wait_until_finished()
    finally:
        requests.delete(f"{control}/servers/v6only", timeout=5).raise_for_status()


def tokens() -> None:
    same(len(readonly.servers.get_all()), 3)
    refused("forbidden", lambda: readonly.floating_ips.create(type="ipv4", home_location=fsn1))
    same(refused("unauthorized", client_of("wrong").servers.get_all).message, "the token you have provided is invalid")


def routes() -> None:
    same(refused("not_found", lambda: client._client.request("GET", "/gone")).message, "api route not found")
    refused("method_not_allowed", lambda: client._client.request("PUT", "/servers"))
    refused("deprecated_api_endpoint", lambda: client._client.request("GET", "/actions"))


def codes_that_are_final_for_the_client() -> None:
    codes = "token_readonly maintenance resource_unavailable floating_ip_assigned server_error unavailable locked"
    for code in codes.split():
        fault("GET /locations", {"refuse": {"code": code}})
        refused(code, client.locations.get_all)


def codes_that_the_client_repeats() -> None:
    for code in ["rate_limit_exceeded", "conflict", "bad_gateway", "timeout"]:
        fault("GET /locations", {"refuse": {"code": code}}, times=5)
        same(len(client.locations.get_all()), 6)
        fault("GET /locations", {"refuse": {"code": code}}, times=6)
        refused(code, client.locations.get_all)


def html_from_the_edge_buys_again_and_again() -> None:
    fault("POST /floating_ips", {"badGateway": "after"}, times=5)
    create(labels={"team": "web"})
    same(len(ips.get_all(label_selector="team=web")), 6)


def a_lost_reply_has_bought() -> None:
    fault("POST /floating_ips", {"loseReply": True})
    try:
        create(name="orphan")
        raise AssertionError("the connection did not break")
    except requests.exceptions.ConnectionError:
        pass
    same(ips.get_by_name("orphan").name, "orphan")


def an_action_that_fails() -> None:
    one = create().floating_ip
    fault("POST /floating_ips/{id}/actions/assign", {"action": {"status": "error"}})
    try:
        one.assign(client.servers.get_by_name("node-1")).wait_until_finished()
        raise AssertionError("the action did not fail")
    except ActionFailedException as error:
        same(error.action.error["code"], "action_failed")
    one.reload()
    same(one.server, None)


def an_action_that_vanishes() -> None:
    one = create().floating_ip
    fault("POST /floating_ips/{id}/actions/assign", {"action": {"vanishes": True}})
    refused("not_found", one.assign(client.servers.get_by_name("node-1")).wait_until_finished)


def an_action_without_effect() -> None:
    one = create().floating_ip
    fault("POST /floating_ips/{id}/actions/assign", {"action": {"isMute": True}})
    one.assign(client.servers.get_by_name("node-1")).wait_until_finished()
    one.reload()
    same(one.server, None)


def the_ledger_counts() -> None:
    before = ledger()["requests"].get("GET /locations", 0)
    client.locations.get_all()
    same(ledger()["requests"]["GET /locations"], before + 1)


checks = [
    servers_are_listed,
    locations_are_listed,
    both_types_are_created,
    created_on_a_server,
    pages_and_labels,
    update_replaces_labels,
    assign_move_unassign_delete,
    protection,
    reverse_dns,
    locked,
    unassign_twice,
    names_are_unique,
    inputs_are_checked,
    limit_of_the_project,
    limit_of_a_server,
    families,
    tokens,
    routes,
    codes_that_are_final_for_the_client,
    codes_that_the_client_repeats,
    html_from_the_edge_buys_again_and_again,
    a_lost_reply_has_bought,
    an_action_that_fails,
    an_action_that_vanishes,
    an_action_without_effect,
    the_ledger_counts,
]
for each in checks:
    clean()
    check(each.__name__.replace("_", " "), each)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
