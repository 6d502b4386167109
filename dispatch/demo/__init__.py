"""The synthetic demo community: everything it holds, made from a seed and a day, and nothing of it real."""

from dispatch.demo.community import DEFAULT_SEED, Community, make_community

__all__ = ["DEFAULT_SEED", "Community", "make_community"]
