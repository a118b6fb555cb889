// Figures of every kind.

import Figures
import Foundation

enum Sample {
  static let noTable = DataTable(columns: [], rows: [])

  static func figure(
    _ panels: [Panel], columns: Int = 1, sharing: Figure.Sharing = [.x, .y, .colours],
    shape: Figure.Shape = .height(260)
  ) -> Figure {
    Figure(
      name: "sample", title: "A sample", caption: "What there is to see.", panels: panels, columns: columns,
      sharing: sharing, shape: shape, table: noTable)
  }

  static func panel(
    _ marks: [Mark], x: Axis = Axis("Epoch"), y: Axis = Axis("Loss (nats)"), title: String? = nil, shades: [Shade] = []
  ) -> Panel {
    Panel(title: title, x: x, y: y, marks: marks, shades: shades)
  }

  static func line(_ label: String, _ values: [(Double, Double?)], _ paint: Paint = .series(0)) -> Mark {
    .line(Line(label, values.map { Line.Point($0.0, $0.1) }, paint))
  }

  /// A loss that falls from 4 to 1e-7 around an epoch.
  static func fall(_ label: String, at epoch: Double, _ paint: Paint) -> Mark {
    line(
      label, stride(from: 0.0, through: 40_000, by: 100).map { ($0, 1e-7 + 4 / (1 + exp(($0 - epoch) / 400))) }, paint)
  }

  static var losses: Figure {
    figure([
      panel(
        [fall("train", at: 200, .series(0)), fall("test", at: 9000, .series(1))],
        y: Axis("Loss (nats)", .logarithmic),
        shades: [
          Shade("memorization", from: 0, to: 1400, .shade(0)),
          Shade("circuit formation", from: 1400, to: 9000, .shade(1)), Shade("cleanup", from: 9000, to: nil, .shade(2)),
        ])
    ])
  }

  static var multiples: Figure {
    figure(
      (1...7).map { tenth in
        panel(
          [fall("train", at: 200, .series(0)), fall("test", at: Double(tenth) * 3000, .series(1))],
          y: Axis("Loss (nats)", .logarithmic), title: "train_fraction = 0.\(tenth)")
      }, columns: 3, shape: .height(120))
  }

  static var spectrum: Figure {
    let bars = (1...56).map { (k: Int) -> Bars.Bar in Bars.Bar(Double(k), Double(k % 7), title: "k = \(k)") }
    return figure([
      panel(
        [.bars(Bars("norm", bars))],
        x: Axis("Frequency k"), y: Axis("Norm"))
    ])
  }

  static var ablations: Figure {
    let bars = [1e-7, 0.3, 4].enumerated().map { Bars.Bar(Double($0), $1, text: NumberText.value($1)) }
    let names = [
      "original", "a name that is far too long for any margin that there could ever be beside bars", "third",
    ]
    return figure(
      [
        panel(
          [.bars(Bars(nil, bars))],
          x: Axis("Loss (nats)", .logarithmic), y: Axis("", .bands(names)))
      ], shape: .height(90))
  }

  static var phaseDiagram: Figure {
    let cells = (0..<15).map { (index: Int) -> Cells.Cell in
      let value: Double? = index == 4 ? nil : Double(index + 1) * 100
      return Cells.Cell(value, isHatched: index < 5, text: "\(index)/15", title: "cell \(index)")
    }
    return figure([
      panel(
        [.cells(Cells(columns: 5, rows: 3, cells: cells, valueTitle: "median grokking epoch", isLogarithmic: true))],
        x: Axis("train_fraction", .bands(["0.2", "0.3", "0.4", "0.5", "0.6"])),
        y: Axis("weight_decay", .bands(["0.3", "1", "3"])))
    ])
  }

  static var grids: Figure {
    figure(
      (0..<4).map { head in
        panel(
          [
            .cells(
              Cells(
                columns: 53, rows: 53, values: (0..<53 * 53).map { $0 == 7 ? nil : cos(Double($0 * head)) },
                ramp: .diverging, valueTitle: "attention to a"))
          ], x: Axis("b"), y: Axis("a"), title: "Head \(head)")
      }, columns: 2, shape: .square)
  }

  /// With titles that are longer than the panels are wide.
  static var gridsApart: Figure {
    var figure = grids
    figure.sharing = [.x, .y]
    for index in figure.panels.indices { figure.panels[index].title = "Neuron \(index), k = 22 (98 %) and more words" }
    return figure
  }

  static var survival: Figure {
    let curves = (0..<9).flatMap { setting -> [Mark] in
      let points = (0...10).map { Line.Point(100 * pow(1.5, Double($0 + setting)), 1 - Double($0) / 10) }
      return [
        .interval(
          Interval(
            nil, points.map { Interval.Place($0.x, max(0, $0.y! - 0.1), min(1, $0.y! + 0.1)) }, .series(setting),
            shape: .steps)),
        .line(Line("weight_decay=\(setting)", points, .series(setting), shape: .steps)),
      ]
    }
    return figure([
      panel(curves, x: Axis("Epoch", .logarithmic), y: Axis("Fraction not yet grokked", including: [0, 1]))
    ])
  }

  static var scatter: Figure {
    let dots = (0..<60).map { (index: Int) -> Scatter.Dot in
      let shape: Scatter.Shape = index % 5 == 0 ? .ring : index % 7 == 0 ? .arrow : .dot
      let height = 1000 * exp(cos(Double(index * index)))
      return Scatter.Dot(sin(Double(index)), height, title: "point \(index)", shape: shape, text: "\(index)")
    }
    return figure([
      panel(
        [.scatter(Scatter("runs", dots))], x: Axis("Gini coefficient of W_E at epoch 1,000"),
        y: Axis("Grokking epoch", .logarithmic))
    ])
  }

  static var all: [(name: String, figure: Figure)] {
    [
      ("losses", losses), ("multiples", multiples), ("spectrum", spectrum), ("ablations", ablations),
      ("phase diagram", phaseDiagram), ("grids", grids), ("survival", survival), ("scatter", scatter),
    ]
  }
}
