//! The page of findings, worst first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use tachograph_history::doctor::{Finding, Severity};

use crate::top::draw::lines::{entries, lines};
use crate::top::model::Model;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &mut Model) {
    let (theme, chosen) = (model.theme, model.scroll);
    let findings = model.findings();
    let width = usize::from(area.width).saturating_sub(8).max(20);
    if findings.is_empty() {
        let what = "no samples dropped or coalesced, no limit reached, no push failed, no tail \
                    grew";
        let mut all = vec![vec![Span::styled(" ● no findings", theme.good())]];
        all.extend(wrapped(what, width, "   ").map(|it| vec![Span::styled(it, theme.quiet())]));
        lines(buffer, area, 0, all);
        return;
    }
    let entry = |finding: &Finding| {
        let mut all: Vec<Vec<Span<'_>>> = Vec::new();
        let (mark, style) = match finding.severity {
            Severity::Bad => ("✗", theme.bad()),
            Severity::Warning => ("▲", theme.warning()),
            Severity::Note => ("·", theme.strong()),
        };
        all.extend(
            wrapped(&format!("{mark} {}", finding.title), width, " ")
                .map(|line| vec![Span::styled(line, style)]),
        );
        all.extend(wrapped(&finding.detail, width, "   ").map(|line| vec![Span::raw(line)]));
        let advice = format!("try: {}", finding.advice);
        all.extend(wrapped(&advice, width, "   ").map(|it| vec![Span::styled(it, theme.quiet())]));
        all.push(Vec::new());
        all
    };
    model.scroll = entries(buffer, area, chosen, findings.iter().map(entry).collect());
}

/// Breaks a text between words into indented lines of at most `width` characters.
fn wrapped<'a>(text: &'a str, width: usize, indent: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(move |line| format!("{indent}{line}"))
}
