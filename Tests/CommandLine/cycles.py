"""What the tests of cycles share: an account with a watchlist, and an analyst whose answers are a file's lines."""

import json

from support import PTTestCase

OPENING, NOON, CLOSE = "2024-06-10T13:30:00Z", "2024-06-10T16:00:00Z", "2024-06-10T20:00:00Z"


class CycleTestCase(PTTestCase):
    """An account with a watchlist, and an analyst whose answers are a file's lines: SYMBOL ANSWER."""

    def setUp(self):
        super().setUp()
        self.done("init", "--cash", "10000", "--id", "test-account", "--time", "2024-06-01")
        self.watch("AAA", "BBB")
        self.answers = self.directory / "answers"
        self.think()

    def watch(self, *symbols, **rules):
        (self.account / "config.json").write_text(json.dumps({**rules, "watchlist": symbols}))

    def think(self, **answers):
        """From now on the analyst answers so; null about other symbols."""
        self.answers.write_text("".join(f"{symbol} {answer}\n" for symbol, answer in answers.items()))

    @property
    def analyst(self):
        look_up = r"""sed 's/.*"symbol":"\([A-Z]*\)".*/\1/'"""
        return [
            "--analyst-command",
            f"while read -r question; do symbol=$(echo \"$question\" | {look_up}); "
            f"grep \"^$symbol \" '{self.answers}' | cut -d' ' -f2- | grep . || echo null; done"]

    def monitor(self, *arguments, time=NOON):
        return self.done("monitor", *self.analyst, "--time", time, *arguments)

    def trade(self, *arguments, time=CLOSE):
        return self.done("trade", *self.analyst, "--time", time, *arguments)


def opinion(signal, score, price, **members):
    return json.dumps({"signal": signal, "score": score, "price": price, **members})
