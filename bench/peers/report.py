"""Reports of mt-bench (apps/bench/report.h): written whole, and several rounds of one made one."""
import datetime
import json
import os
import statistics

NUMBERS = ("median", "p10", "p90", "share", "dispatch")


def write_report(path, document):
    """Whole or not at all."""
    temporary = f"{path}.tmp-{os.getpid()}"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, allow_nan=False)
            file.write("\n")
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def new_report(command, backends):
    created = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"format": "mt-bench 1", "created": created, "command": command, "ceilings": [], "backends": backends,
            "cases": []}


# ---- rounds ----


def merge_results(results):
    """One backend's results of one case, round by round.  A round that went wrong is what counts; where all went well,
    each number is the median of the rounds' (so that p10 <= median <= p90 stays true), and runs is their sum."""
    for result in results:
        if result["status"] != "ok":
            return dict(result)
    merged = dict(results[0])
    for name in NUMBERS:
        values = [r[name] for r in results if name in r]
        if values:
            merged[name] = statistics.median(values)
    merged["runs"] = sum(r["runs"] for r in results)
    return merged


def merge_cases(cases):
    """One case, round by round; each backend of any round."""
    names = dict.fromkeys(name for case in cases for name in case["results"])
    results = {name: merge_results([c["results"][name] for c in cases if name in c["results"]]) for name in names}
    return {**cases[0], "results": results}


def merge_ceilings(reports):
    found = {}
    for report in reports:
        for ceiling in report.get("ceilings", []):
            found.setdefault(ceiling["backend"], []).append(ceiling)
    return [{"backend": name, **{k: statistics.median(c[k] for c in list_ if k in c)
                                 for k in ("gflops", "gbps") if any(k in c for c in list_)}}
            for name, list_ in found.items()]


def merge_reports(reports):
    """Reports of the same backends and cases, one a round; the head is the first one's."""
    rounds = {}
    for report in reports:
        for case in report["cases"]:
            rounds.setdefault(case["id"], []).append(case)
    return {**reports[0], "rounds": len(reports), "ceilings": merge_ceilings(reports),
            "cases": [merge_cases(cases) for cases in rounds.values()]}
