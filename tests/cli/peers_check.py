"""What peers.test asks of reports: python3 peers_check.py QUESTION FILE…  Silent where it holds."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench/peers"))
sys.dont_write_bytecode = True

from report import merge_reports  # noqa: E402


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def ok(median, p10, p90, runs, **more):
    return {"status": "ok", "median": median, "p10": p10, "p90": p90, "runs": runs, "calls": 3, **more}


def round_of(results, gflops):
    return {"format": "mt-bench 1", "ceilings": [{"backend": "a", "gflops": gflops}], "backends": [{"name": "a"}],
            "cases": [{"id": "ops/x/f32/1", "x": 1, "results": results}]}


def rounds():
    """Medians over the rounds, sums of runs; what went wrong once is wrong."""
    merged = merge_reports([round_of({"a": ok(3, 2, 9, 7, share=0.5), "b": ok(1, 1, 1, 7)}, 10),
                            round_of({"a": ok(1, 1, 4, 6, share=0.9), "b": {"status": "failed", "reason": "why"}}, 30),
                            round_of({"a": ok(2, 1, 5, 7, share=0.6), "b": ok(1, 1, 1, 7)}, 20)])
    assert merged["rounds"] == 3 and merged["ceilings"] == [{"backend": "a", "gflops": 20}], merged
    assert len(merged["cases"]) == 1 and merged["cases"][0]["x"] == 1, merged
    results = merged["cases"][0]["results"]
    assert results["a"] == ok(2, 1, 5, 20, share=0.6), results
    assert results["b"] == {"status": "failed", "reason": "why"}, results


def even_rounds():
    merged = merge_reports([round_of({"a": ok(3, 2, 9, 7)}, 10), round_of({"a": ok(1, 1, 4, 6)}, 30)])
    assert merged["cases"][0]["results"]["a"] == ok(2, 1.5, 6.5, 13), merged


def laid_side_by_side(path, rounds_taken, repeat, *names):
    """Every case has a time of each of these backends, from all rounds; peers are marked as peers."""
    report = load(path)
    peers = {b["name"]: b["peer"] for b in report["backends"]}
    assert set(names) <= set(peers), peers
    assert all(peers[n] == (n not in ("naive", "omp")) for n in names), peers
    assert report["cases"], "no cases"
    for case in report["cases"]:
        for name in names:
            result = case["results"][name]
            assert result["status"] == "ok", (case["id"], name, result)
            assert result["runs"] <= int(rounds_taken) * int(repeat), (case["id"], name, result)
            assert result["runs"] >= int(rounds_taken), (case["id"], name, result)
            assert 0 < result["p10"] <= result["median"] <= result["p90"], (case["id"], name, result)


def values_agree(tolerance, *paths):
    """Peers' reports made with --values: the same numbers of the same inputs wherever two have them; several must."""
    values, compared = {}, 0
    for path in paths:
        for case in load(path)["cases"]:
            for name, result in case["results"].items():
                if "value" in result:
                    values.setdefault(case["id"], {})[name] = result["value"]
    for name, found in values.items():
        spread = max(found.values()) - min(found.values())
        assert spread <= float(tolerance), (name, found)
        compared += len(found) > 1
    assert compared >= 3, f"only {compared} cases were compared"


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
