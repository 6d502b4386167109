"""What a performer's own system says to us by a signed webhook."""

from marshmallow import ValidationError, fields, validate, validates_schema

from dispatch.schemas.fields import HouseSchema, Text

ACTIONS = ("accept", "decline", "set_out", "arrive", "finish")
RESULTS = ("done", "partly", "not_done")
MOST_ROUND = 32_767
MOST_COST_FEN = 100_000_000


class ReceiveWebhook(HouseSchema):
    """One act about one order in one round; `message_id` is the sender's own, new for each act."""

    message_id = Text(most=100, least=1, required=True)
    order_number = Text(most=40, least=1, required=True)
    round = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_ROUND))
    action = fields.String(required=True, validate=validate.OneOf(ACTIONS))
    reason = Text(most=200, load_default="", metadata={"description": "why not (decline)"})
    result = fields.String(load_default=None, validate=validate.OneOf(RESULTS), metadata={"description": "finish"})
    cost_fen = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=0, max=MOST_COST_FEN))
    note = Text(most=1_000, load_default="")

    @validates_schema
    def check_action(self, data: dict[str, object], **_options: object) -> None:
        """Each act needs what belongs to it."""
        if data["action"] == "decline" and not str(data["reason"]).strip():
            raise ValidationError("请说明不接的原因", "reason")
        if data["action"] == "finish" and data["result"] is None:
            raise ValidationError("结果请选:已完成、部分完成、未能完成", "result")


class WebhookTaken(HouseSchema):
    """What became of it: the order's state now, and whether the message had been taken before."""

    order_number = fields.String(required=True)
    state = fields.String(required=True)
    replayed = fields.Boolean(required=True)
