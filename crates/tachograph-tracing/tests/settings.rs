//! Every setter of the layer, with texts at their least and greatest.

mod bed;

use bed::Bed;
use tachograph_tracing::TachographLayer;
use tracing::info_span;

type Setting = Box<dyn FnOnce(TachographLayer) -> TachographLayer>;

fn settings() -> Vec<(&'static str, Setting)> {
    let fields = ["", "a", "span", "route", &"é".repeat(100_000)].map(str::to_owned);
    let field =
        |text: String| ("with_field", Box::new(|it: TachographLayer| it.with_field(text)) as _);
    let mut all: Vec<(_, Setting)> = fields.into_iter().map(field).collect();
    all.push((
        "with_field",
        Box::new(|it| (0..1_000).fold(it, |it, i| it.with_field(i.to_string()))),
    ));
    all.push(("with_trace", Box::new(|it| it.with_trace(|| None))));
    all
}

#[test]
fn every_setter_works_at_its_extremes() {
    let source = include_str!("../src/layer.rs").lines();
    let setters =
        source.filter_map(|line| line.trim().strip_prefix("pub fn ")?.split_once("(mut self"));
    let mut known: Vec<_> = settings().into_iter().map(|(name, _)| name).collect();
    known.dedup();
    assert!(setters.map(|(name, _)| name).eq(known), "a setter without its extremes");
    for (number, (name, set)) in settings().into_iter().enumerate() {
        let bed = Bed::with(set);
        bed.run(|| {
            let span = info_span!(target: "test", "turn", route = "/", other = 1).entered();
            bed.pass_ms(7);
            drop(span);
        });
        let is_chosen = number == 3;
        let tags = [("span", "turn"), ("target", "test"), ("route", "/")];
        let found = bed.tagged(if is_chosen { &tags } else { &tags[..2] });
        assert_eq!(found, Some(1), "{name}, value {number}");
    }
}
