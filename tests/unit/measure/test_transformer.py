"""A name is judged by what it stands for, and nothing of it is called before."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from src.config import RequestError, TdaConfig
from src.measure.transformer import build_transformer, find_target
from src.topology.cech import CechPersistence
from tests.support.giotto import needs_giotto


class Touch:
    """A pickle of it makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "target",
    ["sklearn.utils.pd.read_pickle", "sklearn.base.np.load", "sklearn.utils.fixes.joblib.load", "gtda.homology.np.load",
     "sklearn.utils.Bunch", "sklearn.datasets.load_files", "sklearn.datasets.fetch_openml", "sklearn.clone",
     "sklearn.datasets.load_svmlight_file", "sklearn.utils.estimator_html_repr", "sklearn.pipeline.Pipeline.fit",
     "src.topology.homology.np.load", "src.topology.compute_diagram", "src.topology.distances.np", "gtda.homology.gtda",
     "sklearn.base.BaseEstimator.__init__", "sklearn.pipeline.Memory", "sklearn.pipeline.check_memory"],
)  # fmt: skip
def test_what_is_no_part_of_a_transformer_is_not_called(tmp_path: Path, target: str) -> None:
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(Touch(tmp_path / "made")))
    for key in ("filepath_or_buffer", "file", "filename", "container_path", "f"):
        for transformer in (
            {"_target_": target, key: str(tmp_path / "p.pkl")},
            {"_target_": "gtda.homology.VietorisRipsPersistence", "metric": {"_target_": target, "_partial_": True}},
        ):
            with pytest.raises(RequestError, match=r"_target_=.*(no estimator|no such class|must begin)"):
                build_transformer(TdaConfig(transformer=transformer))
    assert not (tmp_path / "made").exists()


def test_nothing_is_called_where_a_later_part_is_refused(tmp_path: Path) -> None:
    allow = ["pathlib.Path.touch", "pathlib.Path"]
    parts = [{"_target_": "pathlib.Path", "_args_": [str(tmp_path / "made")]}, {"_target_": "sklearn.clone"}]
    with pytest.raises(RequestError, match=r"sklearn\.clone"):
        build_transformer(
            TdaConfig(transformer={"_target_": "sklearn.pipeline.make_pipeline", "_args_": parts}, allow=allow)
        )


@needs_giotto
def test_a_cache_is_refused_by_whatever_place_it_is_named(tmp_path: Path) -> None:
    for transformer in (
        {"_target_": "sklearn.pipeline.make_pipeline", "memory": str(tmp_path)},
        {"_target_": "gtda.mapper.FirstSimpleGap", "_args_": ["single", "euclidean", 0.3, 1.0, str(tmp_path)]},
    ):
        with pytest.raises(RequestError, match="memory="):
            build_transformer(TdaConfig(transformer=transformer))


@needs_giotto
def test_references_in_parameters_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", "precomputed")
    rips = {"_target_": "gtda.homology.VietorisRipsPersistence", "metric": "${oc.env:SOMEWHERE}"}
    assert build_transformer(TdaConfig(transformer=rips)).metric == "${oc.env:SOMEWHERE}"  # type: ignore[attr-defined]


def test_methods_of_libraries_and_of_this_package_are_found() -> None:
    for name in ("src.topology.cech.CechPersistence", "topotrace.topology.cech.CechPersistence"):
        cech = build_transformer(TdaConfig(transformer={"_target_": name, "homology_dimensions": [0, 1]}))
        assert isinstance(cech, CechPersistence)
    parts = [{"_target_": "sklearn.preprocessing.StandardScaler"}]
    nested = {"_target_": "sklearn.pipeline.make_pipeline", "_args_": parts, "_convert_": "all"}
    assert type(build_transformer(TdaConfig(transformer=nested))).__name__ == "Pipeline"


def test_what_is_allowed_by_its_name_is_found() -> None:
    with pytest.raises(RequestError, match=r"tda\.allow=\[math\.hypot\]"):
        find_target("math.hypot")
    assert find_target("math.hypot", ("math.hypot",))(3, 4) == 5
