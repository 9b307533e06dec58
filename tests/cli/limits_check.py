"""What tests/cli/limits.test checks of bench/rows: means, verdicts, samples, what programs print, tables."""
import pathlib
import sys
import unittest

ROWS = pathlib.Path(__file__).resolve().parent.parent.parent / "bench/rows"
sys.path.insert(0, str(ROWS))

import program_rows  # noqa: E402
import verdict  # noqa: E402
from samples import Samples  # noqa: E402
from verdict import Bar, Cannot  # noqa: E402


def report(case, backend, median, **more):
    result = {"status": "ok", "median": median, **more}
    return {"cases": [{"id": case, "results": {backend: result}}]}


class Bars(unittest.TestCase):
    def test_geometric_mean(self):
        self.assertAlmostEqual(verdict.geometric_mean([0.5, 2, 8]), 2)

    def test_at_least_and_at_most(self):
        self.assertEqual(Bar("x", 1.0, 1.0).verdict, "pass")
        self.assertEqual(Bar("x", 1.0, 0.999).verdict, "short")
        self.assertEqual(Bar("x", 350, 350, at_most=True).verdict, "pass")
        self.assertEqual(Bar("x", 350, 351, at_most=True).verdict, "short")

    def test_nothing_measured_is_no_pass(self):
        self.assertEqual(Bar("x", 1).verdict, "cannot: nothing was measured")
        self.assertEqual(Bar("x", 1, float("nan")).verdict, "cannot: nothing was measured")
        self.assertEqual(Bar("x", 1, 5, why="no peer").verdict, "no peer")
        self.assertEqual(verdict.mean_bar("x", 1, {}).verdict, "no peer")

    def test_short_never_looks_like_its_limit(self):
        self.assertEqual(Bar("x", 0.85, 0.8496).measured, "0.850")
        self.assertEqual(Bar("x", 0.85, 0.8551).measured, "0.86")

    def test_the_worst_case_counts(self):
        bar = verdict.least_bar("x", 0.9, {"a": 1.2, "b": 0.8, "c": 0.7})
        self.assertEqual((bar.value, bar.verdict), (0.7, "short"))
        self.assertIn("lowest at c", bar.note)
        self.assertIn("2 of 3 below", bar.note)

    def test_a_mean_may_pass_with_low_cases(self):
        bar = verdict.mean_bar("x", 1, {"a": 4, "b": 0.5})
        self.assertEqual(bar.verdict, "pass")
        self.assertIn("lowest 0.50 at b", bar.note)

    def test_distances(self):
        self.assertEqual(verdict.distance_text([]), "")
        self.assertEqual(verdict.distance_text([160.0, 26.2, 27.4]), "; cores 27 ns apart (26 to 160)")

    def test_tables(self):
        rows = [("work", [Bar("bar | one", 1, 2, note="why"), Bar("two", 1, why="cannot: no AMX here")])]
        self.assertIn("1 pass, 1 cannot", verdict.text_table(rows))
        self.assertIn("| work | bar \\| one | >= 1.00 | 2.00 | pass | why |", verdict.markdown_table(rows))
        self.assertEqual(verdict.as_json(rows)[0]["bars"][1]["verdict"], "cannot: no AMX here")


class Rounds(unittest.TestCase):
    CASE = "limits/matmul_nt/f32/square,m=64,k=64,n=64"

    def samples(self):
        s = Samples(2)
        for number, (ours, a, b) in enumerate([(1, 2, 3), (2, 2, 3), (1, 5, 1.5)], 1):
            s.add("omp", number, report(self.CASE, "omp", ours, share=0.5 + 0.1 * number))
            s.add("a", number, report(self.CASE, "a", a))
            s.add("b", number, report(self.CASE, "b", b))
        return s

    def test_ratios_are_of_one_round_each(self):
        self.assertEqual(self.samples().ratio(self.CASE, "a"), 2)
        self.assertEqual(self.samples().ratio(self.CASE, "b"), 1.5)
        self.assertIsNone(self.samples().ratio(self.CASE, "c"))

    def test_the_best_peer_counts(self):
        self.assertEqual(self.samples().ratios(["a", "b", "c"]), {"matmul_nt 64, 2 threads": 1.5})
        self.assertEqual(self.samples().ratios(["c"]), {})

    def test_shares(self):
        self.assertAlmostEqual(self.samples().shares()["matmul_nt 64, 2 threads"], 0.7)

    def test_what_went_wrong_is_no_time(self):
        s = Samples(1)
        s.add("omp", 1, {"cases": [{"id": self.CASE, "results": {"omp": {"status": "WRONG", "reason": "element 0"}}}]})
        self.assertEqual(s.cases(), [])
        self.assertIn("WRONG: element 0", s.problems[0])


class Programs(unittest.TestCase):
    def test_training(self):
        text = "model: fast\ntest accuracy 99.07% loss 0.0312 backend omp epochs 1 images/s 120000 seconds 0.52\n"
        self.assertEqual(program_rows.parse_training(text), (99.07, 0.52))
        with self.assertRaises(Cannot):
            program_rows.parse_training("train_mnist: no such model\n")

    def test_dispatch(self):
        text = ("instructions               add, end     kernel      libmt      round\n"
                "a scope with one add          341.0       60.0      281.0      390.0\n"
                "an add in a scope of 64       300.0       60.0      240.0      302.0\n"
                "a scope with one add, a requires a gradient      498.5       60.0      438.5      547.5\n")
        counts = program_rows.parse_dispatch(text)
        self.assertEqual(counts["a scope with one add"], [341.0, 60.0, 281.0, 390.0])
        self.assertEqual(counts["an add in a scope of 64"], [300.0, 60.0, 240.0, 302.0])
        self.assertEqual(counts["a scope with one add, a requires a gradient"][0], 498.5)

    def test_memory(self):
        text = ("needed                             10.00 MB\n"
                "step 100      buffers      12.00 MB   RSS +9.00 MB\n"
                "step 2000     buffers      12.00 MB   RSS +11.00 MB\n"
                "step 20000    buffers      12.00 MB   RSS +11.25 MB\n"
                "in use at most                     11.00 MB   1.10 of what is needed,  2.20 of what is kept\n"
                "RSS at most                        12.00 MB   1.20 of what is needed,  2.40 of what is kept\n")
        shares, growth = program_rows.parse_memory(text)
        self.assertEqual(shares, {"in use at most": (1.10, 2.20), "RSS at most": (1.20, 2.40)})
        self.assertAlmostEqual(growth, 0.25)
        with self.assertRaises(Cannot):
            program_rows.parse_memory("")


if __name__ == "__main__":
    unittest.main()
