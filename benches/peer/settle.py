"""Settles one night of trips: the script that a retailer would otherwise write.

    python settle.py TRIPS.csv STATE.db OUT_DIR [--lanes N]

It reads the trips (`store_id,shopping_trip_id,started_at,amount,currency`), and for each of them
sends Adjust, Capture and GetTransactionalData to the payment service, with N trips (64) under way
at a time. Then it writes OUT_DIR/reconciliation.csv. It exits 0 if every trip was captured and has
its transactional data, else 1. The same variables as for `tripsettle` say where the service is and
who asks:

    TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT
    AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN (if there is one)

What it is careful about:

- Every step is a commit of its own, on disk (WAL, synchronous FULL) before the next byte is sent:
  three commits a trip. Adjust and GetTransactionalData may be repeated, so they need no word
  beforehand; the commit that keeps an approval also says that the capture begins. A trip that is
  found so by the next start, or whose capture got any answer but 200, is never captured again.
- A rerun goes on where the last one stopped: it does not ask again for what it has.
- Money is text or Decimal, never a float, and the card's expiry date is not kept.

What it leaves out, all of which `tripsettle` does: retries, backoff, rate limits and Retry-After;
asking again after PENDING; finding out about captures in doubt; cancelling empty carts; smaller
amounts after a decline, bad debt and postings; deadlines and their order; carts that change;
processors' reports; expiring credentials; editions of closed days; a lock against a second run; a
log, a mail.

It is tuned as far as one process goes: uvloop; one session with a connection per lane kept alive;
bodies written by hand; no index touched by a commit; signatures by hand with a key kept for the
day, because botocore's SigV4Auth gives the same and was measured to take ten times as long.
Measured too, and left as they are because nothing was gained: a thread for the commits (what it
saves in waiting for the disk it spends on turns at the interpreter's lock), an exclusive lock on
the database, rarer checkpoints, no garbage collection, no deadline for calls.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pandas as pd
import uvloop
from aiohttp import hdrs
from yarl import URL

JSON = "application/json"
TIMEOUT = aiohttp.ClientTimeout(total=30)

# What stands in a request's body just as it stands in the file: it must need no escaping.
ID = r"[0-9A-Za-z_-]{1,255}"
FORMS = {
    "store_id": ID,
    "shopping_trip_id": ID,
    "amount": r"(0|[1-9][0-9]*)(\.[0-9]+)?",
    "currency": r"[A-Z]{3}",
}

# open: not adjusted yet. capturing: approved, and the capture may have been sent.
# captured: the service said so. evidenced: its transactional data is here.
SCHEMA = """
CREATE TABLE IF NOT EXISTS trip (
    id INTEGER PRIMARY KEY,
    store_id TEXT NOT NULL,
    shopping_trip_id TEXT NOT NULL,
    started_at TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    authorized_amount TEXT,
    data TEXT,
    note TEXT,
    UNIQUE (store_id, shopping_trip_id)
)
"""
TAKE = """
INSERT INTO trip (store_id, shopping_trip_id, started_at, amount, currency)
VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
TODO = """
SELECT id, store_id, shopping_trip_id, amount, currency, state FROM trip
WHERE state IN ('open', 'captured') ORDER BY started_at, id
"""
DONE = """
SELECT store_id, shopping_trip_id, state, authorized_amount, amount AS captured_amount,
    coalesce(data, '{}') AS data, note
FROM trip
"""

# Columns of the file, and the members of the transactional data that they are taken from.
DATA = {
    "brand": "brand",
    "card_last4": "tail",
    "entry_mode": "posEntryMode",
    "application_id": "applicationId",
    "authorization_response_code": "authorizationResponseCode",
    "cryptogram_information": "cryptogramInformationData",
    "cvm_result": "cardholderVerificationMethodResult",
    "pan_sequence_number": "panSequenceNumber",
    "terminal_id": "terminalId",
    "reconciliation_id": "reconciliationId",
    "card_statement_transaction_id": "cardStatementTransactionId",
}
KEY = ["store_id", "shopping_trip_id"]
COLUMNS = [*KEY, "currency", "cart_total", "authorized_amount", "captured_amount", "outcome"]
COLUMNS += ["capture_state", "match_status", *DATA, "trip_started_at", "note"]

# What a state is called in the file.
OUTCOMES = {
    "open": "open",
    "capturing": "in_doubt",
    "captured": "captured",
    "evidenced": "captured",
}
CAPTURE_STATES = {
    "open": "none",
    "capturing": "in_doubt",
    "captured": "initiated",
    "evidenced": "evidenced",
}


class Trip(NamedTuple):
    id: int
    store_id: str
    shopping_trip_id: str
    amount: str
    currency: str
    state: str


class State:
    """The trips on disk. Every statement is a transaction that is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute(SCHEMA)

    def take(self, trips: pd.DataFrame) -> None:
        """Keeps the trips that are new, all in one transaction."""
        self.db.execute("BEGIN")
        self.db.executemany(TAKE, trips.itertuples(index=False, name=None))
        self.db.execute("COMMIT")

    def todo(self) -> list[Trip]:
        return [Trip(*row) for row in self.db.execute(TODO)]

    def approved(self, trip: Trip, amount: str) -> None:
        """After this the capture may be sent, once."""
        update = "UPDATE trip SET state = 'capturing', authorized_amount = ? WHERE id = ?"
        self.db.execute(update, (amount, trip.id))

    def captured(self, trip: Trip) -> None:
        self.db.execute("UPDATE trip SET state = 'captured' WHERE id = ?", (trip.id,))

    def evidenced(self, trip: Trip, data: str) -> None:
        update = "UPDATE trip SET state = 'evidenced', data = ?, note = NULL WHERE id = ?"
        self.db.execute(update, (data, trip.id))

    def note(self, trip: Trip, note: str) -> None:
        """Why the trip goes no further tonight."""
        self.db.execute("UPDATE trip SET note = ? WHERE id = ?", (note, trip.id))


class Signer:
    """AWS Signature Version 4 for one host, with the key of the day kept."""

    def __init__(self, endpoint: str, env: dict[str, str]) -> None:
        self.host = URL(endpoint).host_port_subcomponent
        self.access_key = env["AWS_ACCESS_KEY_ID"]
        self.secret_key = env["AWS_SECRET_ACCESS_KEY"]
        self.region = env["AWS_REGION"]
        self.token = env.get("AWS_SESSION_TOKEN")
        self.signed = "content-type;host;x-amz-date"
        if self.token:
            self.signed += ";x-amz-security-token"
        self.day = ""

    def _turn_to(self, day: str) -> None:
        key = b"AWS4" + self.secret_key.encode()
        for part in (day, self.region, "execute-api", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self.key, self.day = key, day
        self.scope = f"{day}/{self.region}/execute-api/aws4_request"
        self.credential = f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}"

    def headers(self, path: str, body: bytes) -> dict[str, str]:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        if now[:8] != self.day:
            self._turn_to(now[:8])
        headers = {hdrs.CONTENT_TYPE: JSON, hdrs.HOST: self.host, "X-Amz-Date": now}
        token = ""
        if self.token:
            headers["X-Amz-Security-Token"] = self.token
            token = f"x-amz-security-token:{self.token}\n"
        request = (
            f"POST\n{path}\n\ncontent-type:{JSON}\nhost:{self.host}\nx-amz-date:{now}\n{token}\n"
            f"{self.signed}\n{hashlib.sha256(body).hexdigest()}"
        )
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{self.scope}\n{digest}"
        signature = hmac.digest(self.key, text.encode(), "sha256").hex()
        headers[hdrs.AUTHORIZATION] = (
            f"{self.credential}, SignedHeaders={self.signed}, Signature={signature}"
        )
        return headers


class PaymentService:
    """Signed calls over connections that are kept alive."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str, signer: Signer) -> None:
        self.session, self.signer = session, signer
        self.adjust = URL(f"{endpoint}/v1/adjust/charge")
        self.capture = URL(f"{endpoint}/v1/capture/charge")
        self.read = URL(f"{endpoint}/v1/payment/transactional-data")

    async def call(self, url: URL, body: str) -> tuple[int, bytes]:
        """The status and the body; 0 and the error's name if there was no answer.

        aiohttp does not repeat a POST by itself, and redirects are not followed.
        """
        data = body.encode()
        headers = self.signer.headers(url.raw_path, data)
        try:
            async with self.session.post(
                url, data=data, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__.encode()


async def settle(trip: Trip, service: PaymentService, state: State) -> None:
    """Takes one trip as far as it goes."""
    name = f'"storeId":"{trip.store_id}","shoppingTripId":"{trip.shopping_trip_id}"'
    if trip.state == "open":
        charge = f'{{{name},"amount":{{"amount":{trip.amount},"code":"{trip.currency}"}}}}'

        status, body = await service.call(service.adjust, charge)
        authorized = approved(trip, body) if status == 200 else None
        if authorized is None:
            return state.note(trip, f"adjust: {words(status, body)}")
        state.approved(trip, authorized)

        status, body = await service.call(service.capture, charge)
        if status != 200:
            return state.note(trip, f"capture: {words(status, body)}")
        state.captured(trip)

    status, body = await service.call(service.read, f"{{{name}}}")
    data = evidence(body) if status == 200 else None
    if data is None:
        return state.note(trip, f"read: {words(status, body)}")
    state.evidenced(trip, data)


def approved(trip: Trip, body: bytes) -> str | None:
    """The authorised amount, if it covers what was asked for."""
    try:
        answer = json.loads(body, parse_float=Decimal, parse_int=Decimal)
        amount, code = answer["authorizedAmount"]["amount"], answer["authorizedAmount"]["code"]
        enough = amount >= Decimal(trip.amount) and code == trip.currency
        return str(amount) if answer["status"] == "APPROVED" and enough else None
    except (ValueError, KeyError, TypeError):
        return None


def evidence(body: bytes) -> str | None:
    """The members that are kept, as JSON."""
    try:
        answer = json.loads(body)
        return json.dumps({column: answer.get(name) for column, name in DATA.items()})
    except (ValueError, AttributeError):
        return None


def words(status: int, body: bytes) -> str:
    return f"{status} {body[:200].decode(errors='replace')}"


async def lane(todo: Iterator[Trip], service: PaymentService, state: State) -> None:
    for trip in todo:
        await settle(trip, service, state)


async def night(state: State, endpoint: str, signer: Signer, lanes: int) -> None:
    connector = aiohttp.TCPConnector(limit=lanes, keepalive_timeout=60)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=(hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING),
    ) as session:
        service = PaymentService(session, endpoint, signer)
        todo = iter(state.todo())
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(lane(todo, service, state))


def read_trips(path: Path) -> pd.DataFrame:
    """The trip file, all of it text; a row that is not in order ends the run."""
    columns = [*KEY, "started_at", "amount", "currency"]
    trips = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=columns)[columns]
    for column, form in FORMS.items():
        bad = trips[~trips[column].str.fullmatch(form)]
        if not bad.empty:
            sys.exit(f"{path}: {len(bad)} rows with a wrong {column}, first row {bad.index[0] + 1}")
    if trips.duplicated(KEY).any():
        sys.exit(f"{path}: a trip stands in it twice")
    return trips


def reconcile(trips: pd.DataFrame, state: State) -> pd.DataFrame:
    """The trips of the file, matched with what the state says was captured."""
    done = pd.read_sql_query(DONE, state.db, dtype=object)
    rows = trips.merge(done, on=KEY, how="left", validate="one_to_one")
    data = [json.loads(data) for data in rows["data"]]
    rows = rows.join(pd.DataFrame(data, index=rows.index, columns=list(DATA)))
    rows = rows.rename(columns={"amount": "cart_total", "started_at": "trip_started_at"})
    rows["outcome"] = rows["state"].map(OUTCOMES)
    rows["capture_state"] = rows["state"].map(CAPTURE_STATES)
    captured = rows["outcome"] == "captured"
    rows["captured_amount"] = rows["captured_amount"].where(captured)
    same = rows["captured_amount"] == rows["cart_total"]
    rows["match_status"] = same.map({True: "matched", False: "break"}).where(captured, "none")
    return rows.sort_values(KEY)[COLUMNS]


def publish(rows: pd.DataFrame, path: Path) -> None:
    """Under its name only when it is whole and on disk."""
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        rows.to_csv(file, index=False, lineterminator="\r\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)


def main() -> int:
    parser = argparse.ArgumentParser(description="Settles one night of trips.")
    parser.add_argument("trips", type=Path, help="CSV file of trips")
    parser.add_argument("state", type=Path, help="SQLite file, made if it is not there")
    parser.add_argument("out", type=Path, help="folder for reconciliation.csv")
    parser.add_argument("--lanes", type=int, default=64, help="trips under way at a time")
    args = parser.parse_args()
    endpoint = os.environ["TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT"].rstrip("/")

    trips = read_trips(args.trips)
    state = State(args.state)
    state.take(trips)
    uvloop.run(night(state, endpoint, Signer(endpoint, os.environ), args.lanes))

    rows = reconcile(trips, state)
    args.out.mkdir(parents=True, exist_ok=True)
    publish(rows, args.out / "reconciliation.csv")
    print(rows["capture_state"].value_counts().to_string())
    return int((rows["capture_state"] != "evidenced").any())


if __name__ == "__main__":
    sys.exit(main())
