"""The tables of `benchmarks.scale` in Markdown."""

from __future__ import annotations

from benchmarks.scale_vectors import SHARES


def markdown(results: dict) -> str:
    """Return all tables."""
    parts = [_sizes(results), *(_filters(size) for size in results["sizes"])]
    for size in results["sizes"]:
        if "peers" in size:
            parts.append(_peers(size))
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _mb(number: float) -> str:
    return f"{number / 1e6:,.0f} MB"


def _sizes(results: dict) -> str:
    sizes = results["sizes"]
    grown = results.get("growth", {})
    rows = [
        ["FAISS index", *(size["build"]["factory"] for size in sizes)],
        [
            "nprobe, candidates",
            *(f"{s['build']['nprobe']}, {s['build']['candidates']}" for s in sizes),
        ],
        ["recall@10 measured at the build", *(f"{s['build']['recall_at_10']:.3f}" for s in sizes)],
        ["features to vectors", *(_seconds(size["build"]["projected"]) for size in sizes)],
        ["building the FAISS index", *(_seconds(size["build"]["seconds"]) for size in sizes)],
        ["recall@10 of further hard vectors", *(f"{s['search']['recall']:.4f}" for s in sizes)],
        ["search, median", *(f"{size['search']['median_ms']:.2f} ms" for size in sizes)],
        ["search, p99", *(f"{size['search']['p99_ms']:.2f} ms" for size in sizes)],
        [
            "start of the process to first answer",
            *(_seconds(s["start"]["answered"]) for s in sizes),
        ],
        ["RssAnon, searching", *(_mb(size["resident"]["anonymous"]) for size in sizes)],
        [
            "RssAnon after ten filters",
            *(_mb(s["resident_after_filters"]["anonymous"]) for s in sizes),
        ],
        ["mapped and used", *(_mb(size["resident_after_filters"]["mapped"]) for size in sizes)],
        ["10 % deleted: recall@10", *(f"{size['deleted']['recall']:.4f}" for size in sizes)],
        ["10 % deleted: median", *(f"{size['deleted']['median_ms']:.2f} ms" for size in sizes)],
        ["index.faiss", *(_mb(size["build"]["bytes"]["index.faiss"]) for size in sizes)],
        ["vectors.f16", *(_mb(size["build"]["bytes"]["vectors.f16"]) for size in sizes)],
        ["codes.u8", *(_mb(size["build"]["bytes"]["codes.u8"]) for size in sizes)],
    ]
    head = ["", *(f"{size['count']:,}" for size in sizes)]
    if grown:
        exponents = {
            "building the FAISS index": grown["build"],
            "search, median": grown["median"],
            "RssAnon, searching": grown["memory"],
        }
        head.append("grows as N to the")
        rows = [[*row, f"{exponents[row[0]]:.2f}" if row[0] in exponents else ""] for row in rows]
    return _table(head, rows)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} s"


def _filters(size: dict) -> str:
    rows = [
        [
            name,
            f"{one['recall']:.4f}",
            f"{one['median_ms']:.3f} ms",
            f"{one['p99_ms']:.2f} ms",
            f"{one['ratio']:.2f}",
            f"{one['first_ms']:.1f} ms",
        ]
        for name, one in size["filters"].items()
    ]
    head = ["kept", "recall@10", "median", "p99", "of the unfiltered median", "first question"]
    return f"{size['count']:,} vectors, filtered:\n\n{_table(head, rows)}"


def _peers(size: dict) -> str:
    stages = ["all", *(f"random {share:g}" for share in SHARES), "after deletes"]
    rows = []
    for name, one in size["peers"].items():
        memory = _mb(one["resident"]["anonymous"]) if "resident" in one else ""
        build = one["build_s"]
        if name == "Lookalike":
            build = size["build"]["seconds"]
        rows.append(
            [
                name,
                build if isinstance(build, str) else f"{build:,.0f} s",
                memory,
                *(_point(one.get(stage)) for stage in stages),
            ]
        )
    head = ["", "build", "RssAnon", *stages]
    return f"{size['count']:,} vectors, recall@10 and median in turns:\n\n{_table(head, rows)}"


def _point(one: dict | None) -> str:
    if one is None:
        return ""
    if "failed" in one:
        return "fails"
    return f"{one['recall']:.3f}, {one['median_ms']:.2f} ms"
