"""公示: the public page of the supermarket's statements, their files, and the proof of one's own line."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext

from dispatch.errors import Conflict, NotFound
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.reports import Disclosure
from dispatch.rules.funds.labels import KIND_LABELS, PURPOSE_LABELS
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.rules.reports.hiding import GROUPS
from dispatch.rules.reports.history import DECLARED
from dispatch.services import reports
from dispatch.services.reports.files.comma import safe
from dispatch.transaction import transaction
from dispatch.web.access import open_to_all
from dispatch.web.changing import errors_of
from dispatch.web.giving.public import name_of, receipt_typed, to_the_only_community, visitor
from dispatch.web.phone.door import check_origin
from dispatch.web.reports.charts import stacked_bars
from dispatch.web.reports.drawing import Drawing, svg_of

PUBLISHED = "statements of the supermarket are published to the residents; no names, no small counts"
OF_ONE_S_OWN = "number and secret of one's own receipt are the key; nothing else is told"
NOT_FOUND = 404
SHEET = ("fund", "commodity", "opening", "received", "used", "disposed", "other", "closing")

blueprint = Blueprint("disclosure", __name__, url_prefix="/disclosure")
blueprint.before_request(check_origin)
DIGITS = 10
"""A place in the tree has fewer."""
COMMUNITY = "/<int(min=1, max=9223372036854775807):community_id>"
STATEMENT = f"{COMMUNITY}/<int(min=1, max=9223372036854775807):disclosure_id>"


@blueprint.get("")
@open_to_all(PUBLISHED)
def choose() -> Response:
    """Of which community: straight on where there is one only."""
    return to_the_only_community("disclosure.show", "disclosure/choose.html")


def find(community_id: int, disclosure_id: int) -> Disclosure:
    """A published statement; raises NotFound."""
    name_of(community_id)
    with transaction(visitor(community_id).scope) as session:
        return reports.find_disclosure(session, community_id, disclosure_id)


@blueprint.get(COMMUNITY)
@open_to_all(PUBLISHED)
def show(community_id: int) -> str:
    """The newest statement, or the one that is asked for, with all that were published."""
    name = name_of(community_id)
    with transaction(visitor(community_id).scope) as session:
        published = reports.list_disclosures(session, community_id)
    asked = request.args.get("statement", "")
    chosen = next((one for one in published if str(one.id) == asked), None)
    if asked and chosen is None:
        raise NotFound
    chosen = chosen or next(iter(published), None)
    gifts = gifts_from(community_id, chosen)
    return render_template(
        "disclosure/show.html",
        name=name,
        community_id=community_id,
        published=published,
        chosen=chosen,
        shared=reports.shared_days(chosen, published) if chosen else [],
        drawings=drawings_of(chosen.body) if chosen else {},
        gifts=gifts,
        following=gifts[-1].position + 1 if chosen and gifts and gifts[-1].position + 1 < chosen.leaf_count else None,
        spent=spent(chosen.body) if chosen else [],
        declared=[(gettext(one.words), one.phrase) for one in DECLARED],
        purposes=[purpose for group in GROUPS for purpose in group],
        say_amount=lambda amount, unit: spoken(amount, Commodity(unit)),
        purpose_word=lambda purpose: gettext(PURPOSE_LABELS[Purpose(purpose)]),
        note_words=note_words,
        kind_word=lambda kind: gettext(KIND_LABELS[EntryKind(kind)]),
    )


def gifts_from(community_id: int, chosen: Disclosure | None) -> Sequence[reports.GiftTold]:
    """A page of the statement's single gifts, from the asked place on."""
    if chosen is None:
        return []
    asked = request.args.get("from", "0")
    start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < DIGITS else 0
    with transaction(visitor(community_id).scope) as session:
        return reports.gifts_told(session, chosen, start)


def spent(body: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What was used for each purpose, over all funds, in words."""
    sums: dict[str, dict[str, int]] = {}
    for row in body["funds"]:
        for purpose, amount in row["used"].items():
            units = sums.setdefault(purpose, {})
            units[row["commodity"]] = units.get(row["commodity"], 0) + amount
    return [
        (
            gettext(PURPOSE_LABELS[purpose]),
            [spoken(sums[purpose][unit], unit) for unit in Commodity if unit in sums[purpose]],
        )
        for purpose in Purpose
        if purpose in sums
    ]


def note_words(note: str) -> str:
    """Why there is another version, part by part in the reader's language."""
    reason, _, parts = note.partition("：")
    told = gettext("、").join(gettext(part) for part in parts.split("、"))
    return f"{gettext(reason)}{gettext('：')}{told}" if parts else gettext(reason)


def drawings_of(body: dict[str, Any]) -> dict[str, list[str]]:
    """Pictures of where it came from and where it went, a picture for each unit; their tables stand on the page."""
    came = gettext("从哪里来")
    went = gettext("到哪里去")
    return {
        came: pictures(body, came, "received", {str(kind): gettext(word) for kind, word in KIND_LABELS.items()}),
        went: pictures(body, went, "used", {str(one): gettext(word) for one, word in PURPOSE_LABELS.items()}),
    }


def pictures(body: dict[str, Any], title: str, part: str, words: dict[str, str]) -> list[str]:
    """A picture for each unit in which something came or went."""
    found = []
    for unit in Commodity:
        sums: dict[str, int] = {}
        for row in body["funds"]:
            if row["commodity"] == unit:
                for name, amount in row[part].items():
                    sums[name] = sums.get(name, 0) + amount
        if sums:
            found.append(svg_of(picture(title, unit, [(words[name], amount) for name, amount in sums.items()])))
    return found


def picture(title: str, unit: Commodity, rows: list[tuple[str, int]]) -> Drawing:
    """Bars with their amounts in words."""
    bars = [(name, max(amount, 0), spoken(amount, unit)) for name, amount in rows]
    return stacked_bars(title, bars)


@blueprint.get(f"{STATEMENT}/statement.json")
@open_to_all(PUBLISHED)
def statement(community_id: int, disclosure_id: int) -> Response:
    """The statement as it was digested."""
    one = find(community_id, disclosure_id)
    return jsonify({"body": one.body, "digest": one.digest.hex(), "version": one.version, "note": one.note})


@blueprint.get(f"{STATEMENT}/statement.csv")
@open_to_all(PUBLISHED)
def sheet(community_id: int, disclosure_id: int) -> Response:
    """The sheet of the statement in smallest units."""
    one, file = find(community_id, disclosure_id), io.StringIO()
    writer = csv.writer(file)
    writer.writerow(SHEET)
    for row in one.body["funds"]:
        cells = (row[name] for name in SHEET)
        writer.writerow([safe(sum(cell.values()) if isinstance(cell, dict) else cell) for cell in cells])
    return download(file.getvalue(), "text/csv; charset=utf-8", f"statement-{one.first_day}.csv")


@blueprint.get(f"{STATEMENT}/leaves.txt")
@open_to_all(PUBLISHED)
def leaves(community_id: int, disclosure_id: int) -> Response:
    """The leaves of the tree, one a line, a block at a time however many there are."""
    one, scope = find(community_id, disclosure_id), visitor(community_id).scope

    def block(position: int) -> list[bytes]:
        with transaction(scope) as session:
            return reports.leaves_from(session, one.id, position)

    def lines() -> Iterator[str]:
        position = 0
        while found := block(position):
            position += len(found)
            yield "".join(f"{leaf.hex()}\n" for leaf in found)

    return download(lines(), "text/plain; charset=ascii", "leaves.txt")


@blueprint.get(f"{STATEMENT}/journal.jsonl")
@open_to_all(PUBLISHED)
def day_book(community_id: int, disclosure_id: int) -> Response:
    """The day book from which the statement can be replayed, one line of JSON each; nobody, nobody's ground."""
    one = find(community_id, disclosure_id)
    with transaction(visitor(community_id).scope) as session:
        lines = reports.day_book_of(session, one.id)
    content = "".join(f"{json.dumps(line, ensure_ascii=False, sort_keys=True)}\n" for line in lines)
    return download(iter([content]), "application/jsonl; charset=utf-8", f"journal-{one.first_day}.jsonl")


def download(content: str | Iterator[str], kind: str, name: str) -> Response:
    """A file to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=kind, headers=headers)


@blueprint.post(f"{COMMUNITY}/proof")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.LOOKUP_BY_NUMBER, key_func=receipt_typed)
def proof(community_id: int) -> Response:
    """Whether one's own line is inside, in a sentence and as a proof; the secret itself is not sent back."""
    name = name_of(community_id)
    number, secret = request.form.get("number", "")[:40], request.form.get("secret", "")[:40]
    try:
        with transaction(visitor(community_id).scope) as session:
            found = reports.proof_for(session, community_id, number, secret)
    except Conflict as error:
        words = next(iter(errors_of(error).values()))
        return make_response(render_proof(community_id, name, None, words, number), NOT_FOUND)
    if found is None:
        words = gettext("这张收据所在的季度还没有公示")
        return make_response(render_proof(community_id, name, None, words, number), NOT_FOUND)
    return make_response(render_proof(community_id, name, found, "", number))


@blueprint.get(f"{COMMUNITY}/proof")
@open_to_all(OF_ONE_S_OWN)
def proof_form(community_id: int) -> str:
    """Where a donor types the receipt's number and secret."""
    return render_proof(community_id, name_of(community_id), None, "", request.args.get("number", "")[:20])


def render_proof(community_id: int, name: str, found: reports.Proof | None, wrong: str, number: str) -> str:
    """The form, and above it in one sentence what was found, with the proof for who wants to compute it."""
    return render_template(
        "disclosure/proof.html",
        name=name,
        community_id=community_id,
        found=found,
        amount=spoken(found.line.amount, Commodity(found.line.commodity)) if found is not None else "",
        data=json.dumps(reports.proof_out(found), ensure_ascii=False, indent=1) if found is not None else "",
        wrong=wrong,
        number=number,
    )
