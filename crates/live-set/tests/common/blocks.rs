//! Moves lines of documents about, to make files that differ in structure.

/// Lets `edit` change the children of the `nth` element whose line is `open`. Each child is the
/// text of its lines.
pub(crate) fn edit_children(
    xml: &str,
    open: &str,
    nth: usize,
    edit: impl FnOnce(&mut Vec<String>),
) -> String {
    let tabs = open.len() - open.trim_start().len();
    let close = open.replace('<', "</");
    let child = format!("{}<", "\t".repeat(tabs + 1));
    let (mut seen, mut is_inside) = (0, false);
    let mut edit = Some(edit);
    let (mut result, mut children) = (String::new(), Vec::<String>::new());
    for line in xml.split_inclusive('\n') {
        let bare = line.trim_end();
        if is_inside && bare == close {
            is_inside = false;
            edit.take().expect("one element has this number")(&mut children);
            result.extend(children.drain(..));
        }
        if is_inside {
            match children.last_mut() {
                Some(last)
                    if !line.starts_with(&child) || line.starts_with(&child.replace('<', "</")) =>
                {
                    last.push_str(line);
                }
                _ => children.push(line.to_owned()),
            }
            continue;
        }
        result.push_str(line);
        if bare == open {
            is_inside = seen == nth;
            seen += 1;
        }
    }
    assert!(edit.is_none(), "no {open:?} number {nth}");
    result
}
