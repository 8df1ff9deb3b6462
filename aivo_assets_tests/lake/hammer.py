"""Two writers and a reader of one lake, each in a process of its own, for some seconds; and what is left afterwards.

Every dataset is driven in the three ways in which the platform writes: rows are added to what stands there, a unit is
replaced as a whole, and one shard of a day is replaced beside the others.
"""

import multiprocessing as mp
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from aivo_assets.lake import ConflictError, Dataset, Lake, Layered, Layers

DAY = date(2026, 1, 5)
SHARDS = 4
ROWS = 5
WRITERS = ("a", "b")


@dataclass(frozen=True)
class Work:
    """What is driven.

    Attributes:
        root: Of the lake.
        datasets: By unit.
        layered: In layers.
        seconds: How long.
    """

    root: str
    datasets: tuple[Dataset, ...]
    layered: tuple[Layered, ...]
    seconds: float


def hammered(work: Work) -> list[str]:
    """Drive all of it; returns everything that went wrong, in sentences."""
    context = mp.get_context("spawn")
    told: Any = context.Queue()
    start = context.Barrier(len(WRITERS) + 1)
    over = context.Event()
    writers = [context.Process(target=_write, args=(work, name, start, told)) for name in WRITERS]
    reader = context.Process(target=_read, args=(work, start, over, told))
    for process in (*writers, reader):
        process.start()
    told_by_writers = [told.get(timeout=120 + 10 * work.seconds) for _ in writers]
    over.set()
    told_by_reader = told.get(timeout=120)
    for process in (*writers, reader):
        process.join()
    wrong = [sentence for name, _, sentences in told_by_writers for sentence in sentences] + told_by_reader[2]
    counts = {name: rounds for name, rounds, _ in told_by_writers}
    return wrong + _left(work, counts)


def adding(dataset: Dataset) -> Dataset:
    """The dataset to which rows are added."""
    return dataset


def replaced(dataset: Dataset) -> Dataset:
    """The same dataset elsewhere, whose units are replaced as a whole."""
    return replace(dataset, path=f"{dataset.path}_replaced")


def unit(dataset: Dataset) -> dict[str, Any]:
    """One unit of a dataset."""
    return {"day": {"day": DAY}, "shard": {"shard": 1}, "batch": {"batch": "one"}, "whole": {}}[dataset.unit]


def rows(dataset: Dataset, tags: Sequence[str], shard: int = 1) -> pl.DataFrame:
    """A row a tag, in whatever column can hold it; the others are null, and `shard` is the shard."""
    marked, dtype = _marker(dataset)
    schema = dict(dataset.schema)
    values = pl.Series(list(tags)) if dtype == pl.String else pl.Series([_number(tag) for tag in tags])
    columns = [
        pl.lit(shard).cast(kind).alias(name)
        if name == "shard"
        else pl.col("_tag").cast(kind).alias(name)
        if name == marked
        else pl.lit(None).cast(kind).alias(name)
        for name, kind in schema.items()
    ]
    return values.alias("_tag").to_frame().select(columns)


def tags_of(dataset: Dataset, frame: pl.DataFrame) -> list[str]:
    """The tags of some rows, as `rows` made them."""
    marked, dtype = _marker(dataset)
    held = frame[marked].to_list()
    return held if dtype == pl.String else [f"{'ab'[int(n) % 2]}-{int(n) // 2}" for n in held]


def _marker(dataset: Dataset) -> tuple[str, Any]:
    for wanted in (pl.String, pl.Int64, pl.UInt64, pl.Float64, pl.Int32):
        for name, dtype in dataset.schema.items():
            if dtype == wanted and name != "shard":
                return name, wanted
    raise AssertionError(f"{dataset.path} has no column that could hold a tag")


def _number(tag: str) -> int:
    writer, number = tag.split("-")
    return 2 * int(number) + "ab".index(writer)


def _write(work: Work, name: str, start: Any, told: Any) -> None:
    lake, wrong, rounds = Lake(work.root, shards=SHARDS), [], 0
    start.wait()
    until = time.monotonic() + work.seconds
    while time.monotonic() < until or not rounds:
        tag = f"{name}-{rounds}"
        for dataset in work.datasets:
            try:
                _write_one(lake, dataset, name, tag)
            except Exception as error:
                wrong.append(f"writer {name}, {dataset.path}: {error!r}")
        for kept in work.layered:
            _append(Layers(lake, kept), kept, tag)
        rounds += 1
    told.put((name, rounds, wrong))


def _write_one(lake: Lake, dataset: Dataset, name: str, tag: str) -> None:
    lake.update(dataset, lambda before: pl.concat([before, rows(dataset, [tag])]), **unit(dataset))
    lake.write(replaced(dataset), rows(dataset, [tag] * ROWS), **unit(dataset))
    if dataset.sharded:
        own = 2 + WRITERS.index(name)
        lake.replace_shard(dataset, rows(dataset, [tag], own), day=DAY, shard=own, made_by={"tag": tag})


def _append(layers: Layers, kept: Layered, tag: str) -> None:
    frames = {
        name: rows(dataset, [tag]).with_columns(pl.lit(tag).alias(column) for column in key[:1])
        for name, (dataset, key) in kept.frames.items()
    }
    while True:
        standing = layers.shard(1)
        try:
            if standing is None:
                raise AssertionError("begun before the writers")
            layers.commit(layers.stage(1, [(frames, None)], {}, onto=standing.sequence))
            if len(standing.layers) > 20:
                layers.compact(1)
            return
        except ConflictError:
            continue


def begin(work: Work) -> None:
    """The base of everything that is kept in layers."""
    lake = Lake(work.root, shards=SHARDS)
    for kept in work.layered:
        Layers(lake, kept).commit(
            Layers(lake, kept).stage_base(
                1, [{name: dataset.empty() for name, (dataset, _) in kept.frames.items()}], {}
            )
        )


def _read(work: Work, start: Any, over: Any, told: Any) -> None:
    lake, wrong, looks = Lake(work.root, shards=SHARDS), [], 0
    start.wait()
    while not over.is_set():
        for dataset in work.datasets:
            try:
                lake.scan(dataset).collect()
                whole = tags_of(dataset, lake.scan(replaced(dataset)).collect())
                if whole and (len(whole), len(set(whole))) != (ROWS, 1):
                    wrong.append(f"reader, {dataset.path}: no whole unit: {whole}")
            except Exception as error:
                wrong.append(f"reader, {dataset.path}: {error!r}")
        for kept in work.layered:
            layers = Layers(lake, kept)
            try:
                if (standing := layers.shard(1)) is not None:
                    for frame in kept.frames:
                        layers.read(standing, frame)
            except Exception as error:
                wrong.append(f"reader, {kept.path}: {error!r}")
        looks += 1
    told.put(("reader", looks, wrong[:20]))


def _left(work: Work, rounds: dict[str, int]) -> list[str]:
    """What is missing, or is there twice, after all is over."""
    lake, wrong = Lake(work.root, shards=SHARDS), []
    expected = sorted(f"{name}-{number}" for name, count in rounds.items() for number in range(count))
    for dataset in work.datasets:
        held = lake.scan(dataset, shards=[1] if dataset.sharded else None).collect()
        if sorted(tags_of(dataset, held)) != expected:
            wrong.append(f"{dataset.path}: {held.height} rows of {len(expected)}")
        for name in WRITERS if dataset.sharded else ():
            own = tags_of(dataset, lake.scan(dataset, shards=[2 + WRITERS.index(name)]).collect())
            if own != [f"{name}-{rounds[name] - 1}"]:
                wrong.append(f"{dataset.path}: the shard of {name} holds {own}")
    for kept in work.layered:
        layers = Layers(lake, kept)
        standing = layers.shard(1)
        assert standing is not None
        for frame, (dataset, key) in kept.frames.items():
            held = layers.read(standing, frame)
            if sorted(held[key[0]].to_list()) != expected:
                wrong.append(f"{dataset.path}: {held.height} rows of {len(expected)} in layers")
    return wrong
