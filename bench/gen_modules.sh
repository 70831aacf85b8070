#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes modules to measure with, the same for the same arguments. In: what, how many, a folder. Out: .rego and .json
# files in the folder, and action.jsonl, an action that the module decides.
#   rbac N      five rules over N roles of six grants each (data.roles), decided by data.rbac.allow
#   index N     N definitions of data.index.allow, each for its own target
#   lists N     comprehensions over N hosts (data.hosts), decided by data.lists.allow
#   modules N   N modules of seven rules, each of which uses the one before
set -eu
[ $# = 3 ] || { echo "usage: bench/gen_modules.sh rbac|index|lists|modules N DIR" >&2; exit 2; }
what=$1 n=$2 dir=$3
mkdir -p "$dir"

rbac() {
    awk -v n="$n" 'BEGIN {
        split("read write list delete deploy scale", act, " ")
        printf "{\"roles\":{"
        for (r = 0; r < n; r++) {
            printf "%s\"role%d\":{\"grants\":[", (r ? "," : ""), r
            for (g = 1; g <= 6; g++)
                printf "%s{\"action\":\"%s\",\"type\":\"res%d\"}", (g > 1 ? "," : ""), act[g], (r * 7 + g) % 40
            printf "]}"
        }
        print "}}"
    }' >"$dir/data.json"
    cat >"$dir/rbac.rego" <<'REGO'
package rbac

default allow := false

allow if user_is_admin

allow if {
	not user_is_suspended
	some role in input.user.roles
	some grant in data.roles[role].grants
	grant.action == input.action
	grant.type == input.resource.type
}

user_is_admin if "admin" in input.user.roles

user_is_suspended if input.user.status == "suspended"
REGO
    local last=$((n - 1))
    # the last grant of the user's last role: res((7 last + 6) mod 40)
    printf '{"tenant":"acme","agent":"bot-1","session_id":"s-1","type":"scale","target":"r-17","params":{},"action":"scale","user":{"id":"alice","status":"active","roles":["role%d","role%d","role%d"]},"resource":{"type":"res%d","id":"r-17"}}\n' \
        $((n / 3)) $((n / 2)) "$last" $(((last * 7 + 6) % 40)) >"$dir/action.jsonl"
}

index() {
    awk -v n="$n" 'BEGIN {
        print "package index\n\ndefault allow := false"
        for (i = 0; i < n; i++)
            printf "\nallow if {\n\tinput.target == \"svc-%d\"\n\tinput.amount <= %d\n}\n", i, i % 1000
    }' >"$dir/index.rego"
    printf '{"tenant":"acme","agent":"bot-1","session_id":"s-1","type":"call","target":"svc-%d","params":{},"amount":0}\n' $((n / 2)) >"$dir/action.jsonl"
}

lists() {
    awk -v n="$n" 'BEGIN {
        printf "{\"hosts\":["
        for (i = 0; i < n; i++)
            printf "%s{\"name\":\"h%d\",\"zone\":\"z%d\",\"cpus\":%d,\"tags\":[\"t%d\",\"t%d\"]}", (i ? "," : ""), i, i % 8, i % 32, i % 5, i % 11
        print "]}"
    }' >"$dir/data.json"
    cat >"$dir/lists.rego" <<'REGO'
package lists

default allow := false

allow if {
	count(mine) > 0
	every name in input.names {
		name in allowed
	}
	count(by_zone[input.zone]) > 1
}

mine := [h | some h in data.hosts; h.zone == input.zone]

allowed contains h.name if {
	some h in data.hosts
	h.cpus >= input.cpus
	"t1" in h.tags
}

by_zone[zone] := names if {
	some zone in zones
	names := {h.name | some h in data.hosts; h.zone == zone}
}

zones contains h.zone if some h in data.hosts
REGO
    echo '{"tenant":"acme","agent":"bot-1","session_id":"s-1","type":"place","target":"x","params":{},"zone":"z1","cpus":4,"names":["h41","h61"]}' >"$dir/action.jsonl"
}

modules() {
    awk -v n="$n" -v dir="$dir" 'BEGIN {
        for (i = 0; i < n; i++) {
            file = sprintf("%s/m%d.rego", dir, i)
            printf "package m%d\n\nimport rego.v1\n\ndefault allow := false\n\n", i > file
            printf "allow if {\n\tinput.target == \"svc-%d\"\n\tis_owner\n}\n\n", i > file
            printf "allow if {\n\tsome role in input.user.roles\n\trole in roles\n\tnot denied\n}\n\n" > file
            printf "is_owner if input.user.id == owner(input.target)\n\n" > file
            printf "owner(t) := sprintf(\"owner-%%s-%d\", [t])\n\n", i > file
            printf "roles contains r if some r in [\"r%d\", \"r%d\", \"admin\"]\n\n", i, i + 1 > file
            printf "denied if count([x | some x in input.flags; x.level > %d]) > 3\n", i % 10 > file
            if (i)
                printf "\nbefore if data.m%d.allow\n", i - 1 > file
            close(file)
        }
    }'
}

case $what in
rbac | index | lists | modules) "$what" ;;
*) echo "gen_modules.sh: nothing called '$what'" >&2; exit 2 ;;
esac
