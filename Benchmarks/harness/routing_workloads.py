"""The workloads of the routing simulator: what is asked, in which order and when; the same for every contender.

A token is four bytes of prompt. All random numbers come from a fixed seed.
"""

import random
from dataclasses import dataclass, field

SEED = 20


@dataclass
class Session:
    """One user: a first call at a time, and the next ones so long after the answer before."""

    start: float
    system: str
    # What is asked in each turn, with the pause before it in seconds; the first pause is not used.
    turns: list = field(default_factory=list)


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    shares_prefixes: bool
    sessions: list


def text(generator, tokens):
    return generator.randbytes(2 * tokens).hex()


def arrivals(generator, count, seconds):
    """Times of a Poisson process that has about `count` of them in so many seconds."""
    now = 0.0
    for _ in range(count):
        now += generator.expovariate(count / seconds)
        yield now


def groups(name, count, users, prefix_tokens, question_tokens, seconds):
    """Users of one group share the system prompt; all users in random order."""
    generator = random.Random(f"{SEED} {name}")
    prefixes = [text(generator, prefix_tokens) for _ in range(count)]
    order = [prefix for prefix in prefixes for _ in range(users)]
    generator.shuffle(order)
    sessions = [
        Session(start, prefix, [(0.0, text(generator, question_tokens))])
        for start, prefix in zip(arrivals(generator, len(order), seconds), order)
    ]
    title = f"{count} groups × {users} prompts, {prefix_tokens:,} tokens shared by a group"
    return Workload(name, title, True, sessions)


def agents(count, turns, seconds):
    """Sessions of four kinds of agents that grow with each turn: 2,000 tokens of the kind, 2,000 of the session, then 500
    and the answer in each turn."""
    generator = random.Random(f"{SEED} agents")
    kinds = [text(generator, 2000) for _ in range(4)]
    sessions = []
    for start in arrivals(generator, count, seconds / 2):
        asked = [(0.0, text(generator, 2500))]
        asked += [(generator.expovariate(turns / seconds * 2), text(generator, 500)) for _ in range(turns - 1)]
        sessions.append(Session(start, generator.choice(kinds), asked))
    return Workload("agents", f"{count} agent sessions of {turns} turns, 4 kinds of agents", True, sessions)


def strangers(count, seconds):
    """Prompts of 2,048 to 6,144 tokens that have nothing in common."""
    generator = random.Random(f"{SEED} strangers")
    sessions = [
        Session(start, text(generator, 40), [(0.0, text(generator, generator.randint(2008, 6104)))])
        for start in arrivals(generator, count, seconds)
    ]
    return Workload("strangers", f"{count} prompts of 2,048 to 6,144 tokens without any sharing", False, sessions)


def workloads(quick=False):
    """All of them; a quick run has half the calls at the same rate."""
    half = 2 if quick else 1
    return [
        groups("groups", 64 // half, 16, 2048, 128, 4.5 / half),
        groups("long-groups", 150 // half, 5, 6000, 64, 4.5 / half),
        agents(96 // half, 8 // half, 4.5 / half),
        strangers(360 // half, 3.24 / half),
    ]
