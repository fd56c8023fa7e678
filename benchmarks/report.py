"""What `benchmarks.all` measured, as Markdown and as a chart."""

from __future__ import annotations

from pathlib import Path

from benchmarks.stages import decode_table, table

NAMES = {
    "seed recipe": "seed recipe (Keras `predict`, batch 32)",
    "keras": "Keras `predict`, float32",
    "litert": "Lookalike, `litert`",
    "openvino": "Lookalike, `openvino`",
}


def markdown(said: dict) -> str:
    """Return the report of a run as Markdown."""
    return "\n".join(
        [
            *_head(said),
            *_main_job(said["main_job"]),
            *_network(said["network"]),
            *_agreement(said["agreement"]),
            *_stages(said),
            *_start(said["start"]),
            "",
        ]
    )


def _head(said: dict) -> list[str]:
    machine, data = said["machine"], said["data"]
    versions = ", ".join(f"{name} {number}" for name, number in said["versions"].items())
    return [
        "# Lookalike, measured",
        "",
        f"    {said['command']}",
        "",
        f"{said['at']}. {machine['processor']}, {machine['cores']} cores"
        f" ({' '.join(machine['flags']) or 'no vector instructions known'}),"
        f" {machine['memory_gb']} GB, {machine['system']}; load at the start"
        f" {machine['load'][0]}. Pictures: {data['folder']}, {data['pictures']:,} in the catalogue,"
        f" {data['photos']:,} photos to ask with. Weights: {said['weights']}. {versions}.",
    ]


def _main_job(said: dict) -> list[str]:
    lines = [
        "",
        "## The main job",
        "",
        "From files on disk to a published index with thumbnails; the seed recipe only loads and"
        " embeds. A photo goes to a real server over HTTP; the seed recipe is asked in the process."
        " Medians; ratios are the medians of each turn's.",
        "",
        "| | pictures/s | of the seed recipe's | one photo | of the seed recipe's |",
        "|---|---|---|---|---|",
    ]
    for name, rate in said["pictures_per_s"].items():
        times = said["times_the_seed_recipe"].get(name, 1)
        share = said["photo_share_of_the_seed_recipe"].get(name, 1)
        lines.append(
            f"| {NAMES.get(name, name)} | {rate} | {times} x | {said['photo_ms'][name]} ms"
            f" | {share} |"
        )
    return lines


def _network(said: dict) -> list[str]:
    return [
        "",
        "## The network alone",
        "",
        "| | pictures/s, all cores | one photo |",
        "|---|---|---|",
        *(
            f"| {NAMES.get(name, name)} | {rate} | {said['photo_ms'][name]} ms |"
            for name, rate in said["pictures_per_s"].items()
        ),
    ]


def _agreement(said: dict) -> list[str]:
    runtimes = [name for name, one in said.items() if isinstance(one, dict) and name != "keras"]
    lines = [
        "",
        "## What a runtime changes in the answers",
        "",
        f"Against Keras in float32, {said['pictures']} pictures and {said['photos']} photos,"
        f" default recipe. Keras' P@10 by category: {said['keras']['p_at_10']:.3f}.",
        "",
        "| runtime | cosine, mixed7 average (least) | top-10 overlap | P@10 | difference |",
        "|---|---|---|---|---|",
    ]
    for name in runtimes:
        one = said[name]
        average = one["cosine"]["mixed7_avg"]
        lines.append(
            f"| {name} | {average['mean']:.4f} ({average['least']:.4f})"
            f" | {one['top_10_overlap']:.3f} | {one['p_at_10']:.3f}"
            f" | {one['p_at_10_difference']:+.3f} |"
        )
    return lines


def _stages(said: dict) -> list[str]:
    lines = []
    for name, stages in said["profile"].items():
        lines += [
            "",
            f"## Where the time of indexing goes, {name}",
            "",
            "The processor's time for a picture, mean.",
            "",
            *table(stages, share=True),
            "",
            f"## Where the time of one photo goes, {name}",
            "",
            "Medians, by the clock. `bare Pillow` is a part of the line below it, done here again.",
            "",
            *table(said["photo_stages"][name]),
        ]
    return [
        *lines,
        "",
        "## Decoding against the bare library",
        "",
        "JPEG, the processor's time, median.",
        "",
        *decode_table(said["decoding_ms"]),
    ]


def _start(said: dict) -> list[str]:
    lines = ["", "## Starting", "", "| | median | least |", "|---|---|---|"]
    rows = [("`lookalike --help`", said["help_s"], "s"), ("search by id", said["search_s"], "s")]
    for name, one in said.items():
        if name.startswith("serve"):
            rows.append((f"{name}: ready", one["ready_s"], "s"))
            rows.append((f"{name}: RSS when ready", one["rss_mb"], "MB"))
            if "asked_rss_mb" in one:
                rows.append((f"{name}: RSS after five photos", one["asked_rss_mb"], "MB"))
                rows.append((f"{name}: its own (RssAnon)", one["asked_own_mb"], "MB"))
    lines += [f"| {name} | {one['median']} {u} | {one['least']} {u} |" for name, one, u in rows]
    return lines


def chart(said: dict, path: Path) -> None:
    """Draw indexing, one photo and the profile."""
    from matplotlib.figure import Figure

    job, names = said["main_job"], list(said["main_job"]["pictures_per_s"])
    colours = dict(zip(names, ("#8a8f98", "#2f6fde", "#12a06e", "#c2571a"), strict=False))
    figure = Figure(figsize=(10, 6.4), dpi=130, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    rates, photos = top.subplots(1, 2)
    for axes, values, title, unit in (
        (rates, job["pictures_per_s"], "Indexing, pictures a second (more is better)", ""),
        (photos, job["photo_ms"], "One photo to its hits (less is better)", " ms"),
    ):
        bars = axes.barh(names, [values[n] for n in names], color=[colours[n] for n in names])
        axes.bar_label(bars, [f"{values[n]:g}{unit}" for n in names], padding=4)
        axes.set_title(title, fontsize=10, loc="left")
        axes.invert_yaxis()
        axes.margins(x=0.18)
        _plain(axes)
        axes.set_xticks([])
    stages = bottom.subplots()
    _profile(stages, said["profile"])
    machine = said["machine"]
    figure.suptitle(
        f"{machine['processor']}, {machine['cores']} cores ({' '.join(machine['flags'])})"
        f" · {said['data']['folder']} · {said['at']}",
        fontsize=9,
        color="#555",
    )
    figure.savefig(path)


GROUPS = {
    "network": ("network",),
    "decode, resize": ("read", "hash (SHA-256)", "decode, flatten, turn", "resize, sRGB"),
    "thumbnail": ("thumbnail: resize", "thumbnail: encode"),
    "catalogue, write, snapshot": (
        "catalogue: read, compare",
        "write: features, thumbnails, rows",
        "snapshot: fit, build, publish",
    ),
}


def _profile(axes, profile: dict[str, dict[str, float]]) -> None:
    lefts = dict.fromkeys(profile, 0.0)
    for (group, stages), colour in zip(
        GROUPS.items(), ("#3d4450", "#2f6fde", "#e0a100", "#b0407a"), strict=True
    ):
        values = [sum(one[stage] for stage in stages) for one in profile.values()]
        axes.barh(list(profile), values, left=list(lefts.values()), color=colour, label=group)
        lefts = {name: at + more for (name, at), more in zip(lefts.items(), values, strict=True)}
    for place, at in enumerate(lefts.values()):
        axes.text(at + max(lefts.values()) / 100, place, f"{at:.0f} ms", va="center", fontsize=9)
    axes.set_title("The processor's time for a picture, indexing", fontsize=10, loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, frameon=False, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_xlabel("ms", fontsize=9)
    _plain(axes)


def _plain(axes) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
