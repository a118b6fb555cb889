// A figure as SVG.

extension Figure {
  /// The whole element, from `<svg` to `</svg>`.
  package func svg(_ rendering: Rendering = Rendering()) -> String {
    let isFile = rendering.place != .page
    let sentence = absence ?? (isEmpty ? "There is nothing to show." : nil)
    let layout = Layout(self, width: rendering.width, isFile: isFile)
    let id = name + rendering.suffix
    var svg = SVGText(rendering)
    let lines = sentence.map { TextWidth.lines($0, width: layout.width - 40, size: 13) } ?? []
    let top = layout.headings.isEmpty ? 8.0 : Double(layout.headings.count) * 20 + 14
    let height = sentence == nil ? layout.height : top + Double(lines.count) * 20 + 24
    let size = "\(NumberText.coordinate(layout.width)) \(NumberText.coordinate(height))"
    svg.open(
      "svg",
      " xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" viewBox=\"0 0 \(size)\""
        + " width=\"\(NumberText.coordinate(layout.width))\" height=\"\(NumberText.coordinate(height))\" role=\"img\""
        + " aria-labelledby=\"\(id)-title \(id)-desc\""
        + " font-family=\"system-ui, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif\" font-size=\"12\"")
    svg.raw("<title id=\"\(id)-title\">\(Markup.escaped(title))</title>")
    svg.raw("<desc id=\"\(id)-desc\">\(Markup.escaped(sentence ?? caption))</desc>")
    if isFile {
      svg.rectangle(Rectangle(x: 0, y: 0, width: layout.width, height: height), fill: .ground)
    }
    for (number, heading) in layout.headings.enumerated() {
      svg.label(
        heading, 12, 8 + Double(number) * 20 + 14, size: Layout.headingSize, paint: .ink, isBold: true)
    }
    if sentence != nil {
      for (number, line) in lines.enumerated() {
        svg.label(line, 20, top + 22 + Double(number) * 20, size: 13, paint: .muted)
      }
    } else {
      draw(layout, id: id, in: &svg)
    }
    svg.close("svg")
    return svg.text
  }

  private func draw(_ layout: Layout, id: String, in svg: inout SVGText) {
    let hatch = id + "-hatch"
    if panels.contains(where: \.isHatched) {
      svg.raw(
        "<defs><pattern id=\"\(hatch)\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
          + "patternTransform=\"rotate(45)\"><path d=\"M1 0v6\" stroke-width=\"1.6\"\(svg.paints(stroke: .muted))/></pattern></defs>"
      )
    }
    for panel in layout.panels {
      PanelDrawing(layout: panel, figure: layout, hatch: hatch).draw(in: &svg)
    }
    if let colours = layout.sharedColours, colours.hasValues, let first = layout.panels.first {
      let right = layout.panels.map(\.frame.right).max() ?? first.frame.right
      colours.draw(in: &svg, x: right, y: first.frame.y, height: min(first.frame.height, 200))
    }
    layout.legend.draw(in: &svg, x: 12, y: layout.legendY, hatch: hatch)
  }
}

extension Panel {
  fileprivate var isHatched: Bool {
    marks.contains { if case .cells(let cells) = $0 { cells.cells.contains(where: \.isHatched) } else { false } }
  }
}
