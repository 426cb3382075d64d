//! The dashboard in Grafana's format.

use serde_json::{Value, json};

use crate::error::DeployError;
use crate::expressions::Expressions;
use crate::panels::{Drawn, Row, rows};
use crate::settings::Settings;

/// The number of columns of Grafana's grid.
const WIDTH: usize = 24;
/// The sizes of a graph and of a number in the grid.
const GRAPH: (usize, usize) = (12, 8);
const NUMBER: (usize, usize) = (4, 4);
/// What a number says before there is one.
const NO_DATA: &str = "no data";

pub(crate) fn text(write: &Expressions<'_>, settings: &Settings) -> Result<String, DeployError> {
    let job = &settings.job;
    let mut layout = Layout::default();
    for row in rows(write, settings)? {
        layout.add(&row);
    }
    let dashboard = json!({
        "uid": job,
        "title": job,
        "tags": [job],
        "schemaVersion": 39,
        "editable": true,
        "refresh": "15s",
        "time": { "from": "now-1h", "to": "now" },
        "templating": { "list": [
            { "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus" },
            {
                "name": "instance",
                "label": "Instance",
                "type": "query",
                "datasource": datasource(),
                "query": format!("label_values(up{{job=\"{job}\"}}, instance)"),
                "refresh": 2,
                "sort": 1,
                "multi": true,
                "includeAll": true,
                "allValue": ".*",
                "current": { "text": "All", "value": "$__all" },
            },
        ] },
        "panels": layout.panels,
    });
    let text = serde_json::to_string_pretty(&dashboard).map_err(DeployError::json)?;
    Ok(text + "\n")
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// Places panels from left to right, and rows from top to bottom.
#[derive(Default)]
struct Layout {
    panels: Vec<Value>,
    x: usize,
    y: usize,
    height: usize,
}

impl Layout {
    fn add(&mut self, row: &Row) {
        self.end_line();
        let place = self.place((WIDTH, 1));
        let id = self.panels.len() + 1;
        self.panels.push(json!({
            "id": id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": place,
        }));
        for panel in &row.panels {
            let place = self.place(if panel.is_number { NUMBER } else { GRAPH });
            let id = self.panels.len() + 1;
            self.panels.push(graph(panel, id, place));
        }
    }

    /// The next free place of this size.
    fn place(&mut self, (width, height): (usize, usize)) -> Value {
        if self.x + width > WIDTH || (self.height != height && self.x > 0) {
            self.end_line();
        }
        let place = json!({ "x": self.x, "y": self.y, "w": width, "h": height });
        self.x += width;
        self.height = height;
        place
    }

    fn end_line(&mut self) {
        self.y += self.height;
        (self.x, self.height) = (0, 0);
    }
}

fn graph(panel: &Drawn, id: usize, place: Value) -> Value {
    let targets = panel.queries.iter().zip('A'..).map(|((expr, legend), letter)| {
        json!({
            "refId": letter,
            "datasource": datasource(),
            "expr": expr,
            "legendFormat": if legend.is_empty() { "__auto" } else { legend },
        })
    });
    let targets: Vec<_> = targets.collect();
    // A "stat" panel shows the last value.
    let kind = if panel.is_number { "stat" } else { "timeseries" };
    let mut defaults = json!({ "unit": panel.unit });
    if panel.is_number {
        // A quantile of no samples is NaN.
        let nan = json!({ "match": "nan", "result": { "text": NO_DATA } });
        defaults["noValue"] = NO_DATA.into();
        defaults["mappings"] = json!([{ "type": "special", "options": nan }]);
    }
    json!({
        "id": id,
        "type": kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": datasource(),
        "gridPos": place,
        "fieldConfig": { "defaults": defaults, "overrides": [] },
        "targets": targets,
    })
}
