"""What `celery -A dispatch.workers.beat` starts: the tick is sent by its name, nothing of its work is loaded."""

from dispatch.gateways import broker

celery = broker.make_celery(publisher=False)
