#!/usr/bin/env bash
# Checks the units: no word of complaint from `systemd-analyze verify`, an exposure of at most 1.5,
# nights 24 hours apart in every zone, a failure mail that reads well. Each check is tried on a
# broken copy as well: `systemd-analyze verify` returns 0 even for a misspelt key. systemd need not
# be running, and is installed where its tools are missing and apt-get and root can do it.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'systemd/check.sh: %s\n' "$*" >&2
    exit 1
}

# Installs package $1; its words are shown only when that does not work.
install_package() {
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "$1"; } \
        >"$work/apt" 2>&1; then
        tail -n 5 "$work/apt" >&2
        fail "cannot install $1: install it by hand"
    fi
}

command -v systemd-analyze >/dev/null || install_package systemd
# Without the zones every machine would seem to live in UTC.
[ -e /usr/share/zoneinfo/Europe/Berlin ] || install_package tzdata

# A copy of this folder with a program that exists on this machine.
stage() {
    local to=$work/$1
    mkdir "$to"
    cp ./*.timer ./*.service ./*.conf "$to"
    sed -i 's#^ExecStart=/usr/bin/tripsettle#ExecStart=/bin/true#' "$to"/*.service
    cp "$to/tripsettle-failure@.service" "$to/tripsettle-failure@tripsettle.service.service"
    printf '%s' "$to"
}

# What verify has to say about the units in folder $1.
complaints() {
    SYSTEMD_UNIT_PATH="$1:" systemd-analyze verify "$1"/*.timer "$1"/*[!@].service 2>&1 || true
}

# True when unit $1 is exposed by 1.5 or less; the option counts in tenths.
confined() {
    systemd-analyze security --offline=true --threshold=15 "$1" >/dev/null 2>&1
}

# True when the user of $1/sysusers.conf and the folders of $1/tmpfiles.conf can be made.
makes_folders() {
    mkdir -p "$1/root/etc"
    systemd-sysusers --root="$1/root" "$1/sysusers.conf" >/dev/null 2>&1 &&
        systemd-tmpfiles --root="$1/root" --create "$1/tmpfiles.conf" >/dev/null 2>&1 &&
        [ -g "$1/root/var/lib/tripsettle/inbox" ]
}

# Seconds between the next starts of calendar $1 on a machine in zone $2, from date $3.
gaps() {
    local at last=
    TZ=$2 systemd-analyze calendar --base-time="$3 12:00:00" --iterations=5 "$1" |
        sed -n 's/^ *(in UTC): //p' |
        while read -r at; do
            at=$(date -u -d "$at" +%s)
            [ -z "$last" ] || echo $((at - last))
            last=$at
        done | sort -u | paste -sd ' '
}

# The mail that $1, the failure unit, hands to sendmail, told that the night ended with status 69.
letter() {
    local script
    script=$(sed -n "/^ExecStart=/,/'\$/p" "$1" | sed -e "s/^ExecStart=[^']*'//; s/'\$//" \
        -e 's/\$\$/$/g; s/%i/tripsettle.service/g; s/%H/shop/g; s#/usr/sbin/sendmail#cat;:#')
    mkdir -p "$work/bin"
    printf '#!/bin/sh\necho "journal of $2"\n' >"$work/bin/journalctl"
    chmod +x "$work/bin/journalctl"
    PATH=$work/bin:$PATH MAILTO=root MONITOR_EXIT_STATUS=69 MONITOR_SERVICE_RESULT=exit-code \
        sh -c "$script" 2>&1
}

# True when letter $1 is addressed, names unit and status, brings the journal, holds no leftovers.
reads_well() {
    [[ $1 == 'To: root'$'\n''Subject: FAILED: tripsettle.service on shop (status 69)'$'\n'* &&
        $1 == *$'\n\n'*'journal of tripsettle.service'* && $1 != *[%$]* ]]
}

# What is the same in both services.
walls() {
    sed -n '/^# What it is given/,$p' "$1"
}

calendar() {
    sed -n 's/^OnCalendar=//p' "$1"
}

good=$(stage good)
said=$(complaints "$good")
[ -z "$said" ] || fail "verify complains: $said"
for service in tripsettle tripsettle-settle; do
    confined "$good/$service.service" || fail "$service.service is exposed by more than 1.5"
done
[ -n "$(walls tripsettle.service)" ] || fail 'tripsettle.service has lost "What it is given"'
diff <(walls tripsettle.service) <(walls tripsettle-settle.service) ||
    fail 'the two services differ below "What it is given"'
said=$(letter "$good/tripsettle-failure@.service")
reads_well "$said" || fail "the failure mail does not read well: $said"
# Only root can give folders to somebody.
[ "$(id -u)" != 0 ] || makes_folders "$good" || fail 'user and folders cannot be made'

nights=('America/New_York 2027-03-12' 'America/New_York 2027-11-05' 'Europe/Berlin 2027-03-26'
    'Europe/Berlin 2027-10-29' 'Australia/Sydney 2027-10-01' 'America/Santiago 2027-09-03')
for night in "${nights[@]}"; do
    read -r zone day <<<"$night"
    found=$(gaps "$(calendar tripsettle.timer)" "$zone" "$day")
    [ "$found" = 86400 ] || fail "$zone, $day: nights are '$found' s apart"
    found=$(gaps "$(calendar tripsettle-settle.timer)" "$zone" "$day")
    [ "$found" = 3600 ] || fail "$zone, $day: settle passes are '$found' s apart"
done

# And now what must fail.
bad=$(stage bad)
sed -i 's/^ProtectSystem=/ProtectSytem=/' "$bad/tripsettle.service"
[[ $(complaints "$bad") == *ProtectSytem* ]] || fail 'a misspelt key goes unnoticed'
sed -i '/^SystemCallFilter=/d; /^CapabilityBoundingSet=/d' "$bad/tripsettle-settle.service"
! confined "$bad/tripsettle-settle.service" || fail 'an exposed unit goes unnoticed'
sed -i 's/^CapabilityBoundingSet=$/&CAP_CHOWN/' "$bad/tripsettle.service"
! diff <(walls "$bad/tripsettle.service") <(walls tripsettle-settle.service) >/dev/null ||
    fail 'two different services go unnoticed'
sed -i 's/\$\$MAILTO/%t/' "$bad/tripsettle-failure@.service"
! reads_well "$(letter "$bad/tripsettle-failure@.service")" || fail 'a bad mail goes unnoticed'
sed -i 's/^u tripsettle/u tripsetle/' "$bad/sysusers.conf"
[ "$(id -u)" != 0 ] || ! makes_folders "$bad" || fail 'a misspelt user goes unnoticed'
found=$(gaps '*-*-* 02:30:00' America/New_York 2027-03-12)
[ "$found" != 86400 ] || fail 'a night lost to a clock change goes unnoticed'

echo 'systemd/check.sh: units verified, exposure within 1.5, nights 24 h apart, failure mail reads well'
