"""A Tryton server on a PostgreSQL of its own takes a night's journal, and refuses a spoiled one.

    tryton.py RIGHT.csv SPOILED.csv

Both are imported as a user would do it, accounts by their code, and then posted. Tells as JSON what
became of them. Everything lives in a temporary folder and ends with the program.
"""

import csv
import datetime
import json
import os
import pathlib
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from decimal import Decimal

BIN = next(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), pathlib.Path("/usr/bin"))


def as_postgres():
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def postgres(home, port):
    """Starts a cluster; gives what stops it."""
    user = as_postgres()
    home.mkdir()
    if user:
        os.chown(home, user["user"], user["group"])
    data = home / "data"
    quiet = {"stdout": subprocess.DEVNULL, "cwd": home, **user}
    subprocess.run([BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8"], check=True, **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
    subprocess.run([BIN / "pg_ctl", "-D", data, "-w", "-o", options, "-l", home / "log", "start"],
                   check=True, **quiet)
    return lambda: subprocess.run([BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)


def company(config, codes, date):
    """A company in US dollars with these accounts and the year of the date."""
    from proteus import Model
    from trytond.modules.account.tests.tools import create_fiscalyear
    from trytond.modules.company.tests.tools import create_company, get_company
    from trytond.modules.currency.tests.tools import get_currency

    create_company(currency=get_currency("USD"))
    ours = get_company()
    start = datetime.date(date.year, 1, 1), datetime.date(date.year, 12, 31)
    create_fiscalyear(ours, start).click("create_period")
    kind = Model.get("account.account.type")(name="All", company=ours, statement="balance")
    kind.save()
    for code in codes:
        account = Model.get("account.account")(name=code, code=code, company=ours, type=kind)
        account.save()
    journals = Model.get("account.journal")
    if not journals.find([("code", "=", "MISC")]):
        journals(name="Miscellaneous", code="MISC", type="general").save()


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        heads, *cells = csv.reader(file)
    return heads, cells


def take(config, path):
    """Imports and posts a file; what became of it."""
    from proteus import Model

    moves = Model.get("account.move")
    before = {move.id for move in moves.find([])}
    heads, cells = rows(path)
    told = {"imported": 0, "posted": 0, "refused": [], "debit": "0"}
    told["imported"] = moves._proxy.import_data(heads, cells, config.context)
    debit = Decimal(0)
    for move in moves.find([("id", "not in", list(before))]):
        try:
            move.click("post")
        except Exception as why:
            told["refused"].append(f"{move.description}: {type(why).__name__}")
            continue
        told["posted"] += 1
        debit += sum(line.debit for line in move.lines)
    told["debit"] = str(debit)
    return told


def main(right, spoiled):
    home = pathlib.Path(tempfile.mkdtemp(prefix="tryton-"))
    home.chmod(0o755)
    port = free_port()
    stop = postgres(home / "postgres", port)
    try:
        settings = home / "trytond.conf"
        settings.write_text(f"[database]\nuri = postgresql://postgres@127.0.0.1:{port}/\n"
                            f"path = {home}/files\n")
        password = home / "password"
        password.write_text(secrets.token_hex(8) + "\n")
        subprocess.run([BIN / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres",
                        "tryton"], check=True)
        admin = pathlib.Path(sys.executable).with_name("trytond-admin")
        subprocess.run([sys.executable, admin, "-c", settings, "-d", "tryton", "-u", "account",
                        "--activate-dependencies", "--email", "nobody@example.com"],
                       check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "TRYTONPASSFILE": str(password)})
        import proteus

        config = proteus.config.set_trytond("tryton", config_file=str(settings))
        heads, cells = rows(right)
        codes = {row[heads.index("lines/account")] for row in cells}
        date = datetime.date.fromisoformat(cells[0][heads.index("date")])
        company(config, sorted(codes), date)
        config._context = proteus.Model.get("res.user").get_preferences(True, {})
        print(json.dumps({"right": take(config, right), "spoiled": take(config, spoiled)}))
    finally:
        stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
