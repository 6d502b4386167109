"""Check a published statement of the love supermarket. Python 3.10 or newer, nothing else; see README.md beside it.

python3 verify.py statement STATEMENT.json
python3 verify.py follows EARLIER.json LATER.json
python3 verify.py journal STATEMENT.json JOURNAL.jsonl
python3 verify.py leaves STATEMENT.json LEAVES.txt
python3 verify.py receipt STATEMENT.json PROOF.json --secret K7MP-2QX4-9TRB
python3 verify.py chain CHAIN.jsonl [STATEMENT.json]
"""

import argparse
import json
import sys
from hashlib import sha256

HIDDEN_UNDER = 3
GROUNDS = ("serious_illness", "severe_disability", "lone_elder", "sudden_hardship")
CAME = ("opening", "gift", "interest", "surplus")


def canonical(value):
    """The one byte form of JSON: UTF-8, keys sorted, no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def demand(is_right, words):
    """Stop with words where something is not right."""
    if not is_right:
        raise SystemExit(f"NOT RIGHT 不符: {words}")


def read(path):
    """A JSON file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def check_statement(statement):
    """The digest is that of the body, every row adds up, no small count is told."""
    body = statement["body"]
    demand(sha256(canonical(body)).hexdigest() == statement["digest"], "the digest of the statement")
    for row in body["funds"]:
        closing = row["opening"] + sum(row["received"].values()) - sum(row["used"].values())
        closing += sum(row["other"].values()) - row["disposed"]
        demand(closing == row["closing"] >= 0 <= row["opening"], f"the sum of {row['fund']} {row['commodity']}")
    for purpose, counts in body["beneficiaries"].items():
        few = counts and any(0 < number < HIDDEN_UNDER for number in counts.values())
        demand(not few, f"a small count is told: {purpose}")
    in_all = body["beneficiaries_in_all"] or {}
    demand(not any(0 < number < HIDDEN_UNDER for number in in_all.values()), "a small count is told in all")
    return body


def check_follows(earlier, later):
    """What one statement closes with is what the next opens with: the amounts, and the head of the journal."""
    before, after = check_statement(earlier), check_statement(later)
    closing = {(row["fund"], row["commodity"]): row["closing"] for row in before["funds"]}
    opening = {(row["fund"], row["commodity"]): row["opening"] for row in after["funds"]}
    for key in closing.keys() | opening.keys():
        demand(closing.get(key, 0) == opening.get(key, 0), f"closing and opening of {key[0]} {key[1]}")
    head = {name: before["journal"][name] for name in ("seq", "digest")}
    demand(after["journal"]["before"] == head, "the head of the journal between the two")


def gathered(named):
    """Amounts by purpose, those of the four grounds as one: the day book does not tell them apart."""
    sums = {}
    for purpose, amount in named.items():
        name = "aid" if purpose in GROUNDS else purpose
        sums[name] = sums.get(name, 0) + amount
    return {name: amount for name, amount in sums.items() if amount}


def check_journal(statement, path):
    """The lines lead to the root that the statement names, and replaying them gives its every sum."""
    body, leaves, sheet = check_statement(statement), [], {}
    with open(path, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            leaves.append(sha256(b"\x00" + sha256(canonical(line)).digest()).digest())
            demand(body["from"] <= line["from"] <= line["until"] <= body["until"], f"the days of line {len(leaves)}")
            row = sheet.setdefault(
                (line["fund"], line["commodity"]), {"received": {}, "used": {}, "other": {}, "disposed": {}}
            )
            if line["kind"] == "disposal":
                part, name, sign = "disposed", "", -1
            elif line["purpose"]:
                part, name, sign = "used", line["purpose"], -1
            else:
                part, name, sign = "received" if line["kind"] in CAME else "other", line["kind"], 1
            row[part][name] = row[part].get(name, 0) + sign * line["amount"]
    demand(len(leaves) == body["journal"]["lines"], "how many lines the journal has")
    demand(root_of(leaves).hex() == body["journal"]["root"], "the root over the journal")
    for row in body["funds"]:
        replayed = sheet.pop((row["fund"], row["commodity"]), {})
        for part in ("received", "used", "other"):
            said = gathered(row[part])
            demand(
                gathered(replayed.get(part, {})) == said, f"the replay of {part} of {row['fund']} {row['commodity']}"
            )
        destroyed = sum(replayed.get("disposed", {}).values())
        demand(destroyed == row["disposed"], f"the replay of what was destroyed of {row['fund']} {row['commodity']}")
    demand(
        not any(gathered(part) for row in sheet.values() for part in row.values()), "the statement leaves out a fund"
    )


def node(left, right):
    """The digest over two digests."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves):
    """The root over the leaves (RFC 6962): one digest is kept for each power of two."""
    stack = []
    for leaf in leaves:
        size, digest = 1, leaf
        while stack and stack[-1][0] == size:
            digest, size = node(stack.pop()[1], digest), size * 2
        stack.append((size, digest))
    if not stack:
        return sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = node(stack.pop()[1], root)
    return root


def check_leaves(statement, path):
    """The leaves, one hexadecimal digest a line, are as many as the statement says and lead to its root."""
    gifts, count = check_statement(statement)["gifts"], 0

    def read_leaves():
        nonlocal count
        with open(path, encoding="ascii") as file:
            for line in file:
                count += 1
                yield bytes.fromhex(line)

    demand(root_of(read_leaves()).hex() == gifts["root"], "the root over the leaves")
    demand(count == gifts["lines"], "how many lines there are")


def check_receipt(statement, proof, secret):
    """The line of a receipt, with the secret that stands on it, is inside."""
    gifts = check_statement(statement)["gifts"]
    line = {name: proof["line"][name] for name in ("amount", "commodity", "day", "receipt")} | {"salt": secret}
    digest = sha256(b"\x00" + sha256(canonical(line)).digest()).digest()
    place, last = proof["position"], gifts["lines"] - 1
    demand(0 <= place <= last, "the place of the line")
    for text in proof["beside"]:
        demand(last > 0, "the length of the proof")
        if place & 1 or place == last:
            digest = node(bytes.fromhex(text), digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = node(digest, bytes.fromhex(text))
        place, last = place >> 1, last >> 1
    demand(last == 0 and digest.hex() == gifts["root"], "the line is not in this statement")


def check_chain(path, statement):
    """Every entry carries the digest of all before it; both sides are equal; the head is that of the statement."""
    digest, seq, held, heads = bytes(32), 0, {}, {}
    head = check_statement(statement)["journal"] if statement else None
    with open(path, encoding="utf-8") as file:
        for text in file:
            entry = json.loads(text)
            seq += 1
            demand(entry["seq"] == seq, f"entry {seq} is missing")
            digest = sha256(digest + canonical(entry)).digest()
            sides = {}
            for account, fund, owner, earmark, commodity, holding, amount in entry["lines"]:
                held[account] = held.get(account, 0) + amount
                demand(held[account] >= 0, f"account {account} is below zero after entry {seq}")
                key = (fund, owner, earmark, commodity)
                sides[key] = sides.get(key, 0) + (-amount if holding is None else amount)
            demand(not any(sides.values()), f"the two sides of entry {seq} differ")
            if head and seq == head["seq"]:
                heads[seq] = digest.hex()
    demand(not head or heads.get(head["seq"]) == head["digest"], "the head of the journal")
    return seq, digest.hex()


def main():
    """Check what is asked; the exit code is 0 when all is right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["statement", "follows", "journal", "leaves", "receipt", "chain"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--secret", default="")
    asked = parser.parse_args()
    files = asked.files
    if asked.what == "statement":
        check_statement(read(files[0]))
    elif asked.what == "follows":
        check_follows(read(files[0]), read(files[1]))
    elif asked.what == "journal":
        check_journal(read(files[0]), files[1])
    elif asked.what == "leaves":
        check_leaves(read(files[0]), files[1])
    elif asked.what == "receipt":
        check_receipt(read(files[0]), read(files[1]), asked.secret)
    else:
        print(*check_chain(files[0], read(files[1]) if len(files) > 1 else None))
    print("all is right 相符")
    return 0


if __name__ == "__main__":
    sys.exit(main())
