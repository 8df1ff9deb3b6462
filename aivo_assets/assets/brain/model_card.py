"""Stage 5, the model card of a version: for a person who wants to know what the main brain is before trusting it."""

import dagster as dg
from upath import UPath

from aivo_assets.api.addresses import document_url
from aivo_assets.assets.brain.main_brain import candidate
from aivo_assets.assets.describe import daily_asset, picture
from aivo_assets.assets.stored import published_attributes, stored_sampling, stored_training
from aivo_assets.assets.upstream import read
from aivo_assets.automation.partitions import as_of
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.card.measures import measure
from aivo_assets.tracing.card.model_card import HTML, MARKDOWN, Facts, build_card, documents
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import VERDICTS


@daily_asset(
    "main_brain",
    deps=["main_brain_evaluation", "anonymised_learners"],
    description="What a version of the main brain is, how well it predicts, for whom, what it looks at, its limits: "
    "Markdown beside the version, and one HTML file. Written once a version.",
    kinds={"html", "markdown"},
)
def main_brain_card(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Write the card of the version that was trained as of the last day of this run."""
    day = as_of(context)
    number = candidate(lake, day)
    rows = 0
    if registry.document(number, HTML) is None:
        training = stored_training(lake, day, settings)
        version, brain = registry.version(number), registry.load(number)
        measured = measure(
            brain, training.table, training.split, settings.promotion,
            attributes=published_attributes(lake), seed=settings.training.seed,
        )  # fmt: skip
        verdict = read(lake, VERDICTS, day, asset="main_brain_evaluation")["reason"].item()
        facts = Facts(
            number, version.as_of, version.registered_at, verdict, settings.privacy, sampling=stored_sampling(lake, day)
        )
        files = documents(build_card(brain, measured, facts))
        # The HTML last: where it is, all of the card is.
        registry.attach(number, {name: files[name] for name in sorted(files, key=lambda name: name == HTML)})
        rows = training.split.evaluate.size
    html, markdown, path = _read(registry, number, HTML), _read(registry, number, MARKDOWN), published(lake, number)
    if not path.exists() or path.read_bytes() != html:
        lake.write_bytes(_place(number), html)
    return dg.MaterializeResult(
        metadata={
            "rows_in": rows,
            "rows_out": 1,
            "version": number,
            "card": dg.MetadataValue.url(document_url(settings, "main_brain", path.name)),
            "in short": dg.MetadataValue.md(markdown.decode().split("\n## ")[1]),
            "groups": picture(_read(registry, number, "card_groups.png")),
        }
    )


def published(lake: Lake, number: int) -> UPath:
    """Where the card of a version is published, whether it is there or not."""
    return lake.root / _place(number)


def _place(number: int) -> str:
    return f"main_brain/cards/version={number}.html"


def _read(registry: Registry, number: int, name: str) -> bytes:
    path = registry.document(number, name)
    assert path is not None  # written before, the HTML last
    return path.read_bytes()
