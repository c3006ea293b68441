#!/bin/sh
# Pid 1 of the operator's container: runs the command it is given and starts it again at once when a signal ended it
# (kill -9, out of memory), so that no kubelet and no back-off stands between a killed agent and its node's addresses.
# A command that exits by itself said why (a bad setting, a newer agent on this node): then the container ends with its
# code and Kubernetes shows it. SIGTERM and SIGINT reach the command, and then nothing is started any more.

stopping=
child=
brief=

stop() {
  stopping=1
  interrupted=1
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap stop TERM INT

while [ -z "$stopping" ]; do
  began=$(date +%s)
  # A session of its own: with the agent its tools (nft, ip, socat) can be ended, which outlive it on their pipes.
  setsid "$@" &
  child=$!
  [ -z "$stopping" ] || kill -TERM "$child"

  # A trapped signal interrupts `wait`, which then says so instead of how the command ended; asked again it tells, or
  # 127 when it had told before the signal came.
  interrupted=
  wait "$child"
  code=$?
  while [ -n "$interrupted" ]; do
    interrupted=
    wait "$child"
    again=$?
    [ "$again" -eq 127 ] || code=$again
  done
  kill -KILL "-$child" 2>/dev/null

  [ -z "$stopping" ] && [ "$code" -gt 128 ] || exit "$code"
  echo "{\"level\":\"error\",\"message\":\"the agent was ended by a signal and is started again\",\"signal\":$((code - 128))}" >&2

  # At once, but not in a circle: the second in a row that lives for less than two seconds waits for one.
  if [ $(($(date +%s) - began)) -ge 2 ]; then
    brief=
  elif [ -z "$brief" ]; then
    brief=1
  else
    sleep 1 &
    wait $!
  fi
done
exit 0
