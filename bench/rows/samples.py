"""What mt-bench and its peers measured at some cases, round by round."""
import statistics

OURS = "omp"


class Samples:
    """reports: {backend: [report of each round]}, with one number of threads."""

    def __init__(self, threads=None):
        self.threads = threads
        self.rounds = {}  # {case id: {backend: {round: result}}}
        self.problems = []

    def add(self, backend, number, report):
        for case in report["cases"]:
            result = case["results"].get(backend)
            if result is None:
                continue
            if result["status"] == "ok":
                self.rounds.setdefault(case["id"], {}).setdefault(backend, {})[number] = result
            elif result["status"] != "unavailable":
                self.problems.append(f"{backend}: {case['id']}: {result['status']}: {result['reason']}")

    def cases(self):
        return list(self.rounds)

    def of(self, case, backend=OURS):
        return self.rounds.get(case, {}).get(backend, {})

    def seconds(self, case, backend=OURS):
        """The median of the rounds' medians; None where there is none."""
        times = [r["median"] for r in self.of(case, backend).values()]
        return statistics.median(times) if times else None

    def share(self, case):
        shares = [r["share"] for r in self.of(case).values() if "share" in r]
        return statistics.median(shares) if shares else None

    def ratio(self, case, peer):
        """How many times as fast as the peer we are: the median of the rounds' ratios; None where one is missing."""
        ours, theirs = self.of(case), self.of(case, peer)
        ratios = [theirs[n]["median"] / ours[n]["median"] for n in ours if n in theirs]
        return statistics.median(ratios) if ratios else None

    # ---- all cases at once, under short names ----

    def name(self, case):
        """"matmul_nt 512, 2 threads"."""
        _, op, dtype, size = case.split("/", 3)
        parts = size.split(",")
        if parts[0] == "square":
            size = parts[1].split("=")[1]
        text = f"{op} {size}" if dtype == "f32" else f"{op} {dtype} {size}"
        return text + (f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.threads else "")

    def shares(self, wanted=lambda case: True):
        found = {self.name(c): self.share(c) for c in self.cases() if wanted(c)}
        return {k: v for k, v in found.items() if v is not None}

    def ratios(self, peers, wanted=lambda case: True):
        """Against the best of peers at each case: the lowest ratio."""
        found = {}
        for case in filter(wanted, self.cases()):
            ratios = [r for r in (self.ratio(case, p) for p in peers) if r is not None]
            if ratios:
                found[self.name(case)] = min(ratios)
        return found

    def document(self):
        """Everything, for --json."""
        return {"threads": self.threads, "problems": self.problems,
                "cases": {case: {"seconds": {b: self.seconds(case, b) for b in backends}, "share": self.share(case),
                                 "ratios": {b: self.ratio(case, b) for b in backends if b != OURS}}
                          for case, backends in self.rounds.items()}}
