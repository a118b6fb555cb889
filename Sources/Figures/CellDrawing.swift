// Heat maps: a rectangle a cell with its text, or one picture for grids of thousands.

struct CellDrawing {
  let layout: PanelLayout
  let hatch: String

  func draw(_ cells: Cells, in svg: inout SVGText) {
    guard let colours = layout.colours else { return }
    if cells.isRaster {
      drawRaster(cells, colours, in: &svg)
    } else {
      drawCells(cells, colours, in: &svg)
    }
  }

  private func drawRaster(_ cells: Cells, _ colours: ColourScale, in svg: inout SVGText) {
    var levels: [UInt8] = []
    levels.reserveCapacity(cells.cells.count)
    // Rows of a picture run from the top.
    for row in (0..<cells.rows).reversed() {
      for cell in cells.cells[row * cells.columns..<(row + 1) * cells.columns] {
        levels.append(colours.share(cell.value).map(Raster.level(ofShare:)) ?? 0)
      }
    }
    guard let box = box(columns: 0...cells.columns - 1, rows: 0...cells.rows - 1) else { return }
    var raster = Raster(columns: cells.columns, rows: cells.rows, levels: levels, ramp: colours.ramp)
    // A browser keeps cells sharp because the page's style sheet says so; librsvg and its like smooth them.
    let pixels = Int((box.width / Double(cells.columns)).rounded(.up))
    if !svg.isPage, pixels > 1 { raster = raster.enlarged(by: pixels) }
    var attributes = SVGText.place(box.x, box.y) + SVGText.size(box)
    attributes += " preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\""
    // A page's style sheet says so for all; its policy may forbid it here.
    if !svg.isPage { attributes += " style=\"image-rendering:pixelated\"" }
    if svg.isPage {
      let kind = colours.scale.kind == .logarithmic ? "log" : "lin"
      attributes += " data-cells=\"\(cells.columns) \(cells.rows)\" data-value=\"\(kind) "
      attributes += "\(NumberText.short(colours.scale.low)) \(NumberText.short(colours.scale.high))\""
      for (name, names) in [("columns", cells.columnNames), ("rows", cells.rowNames)] where !names.isEmpty {
        attributes += " data-\(name)=\"\(Markup.escaped(names.joined(separator: "|")))\""
      }
      attributes += " data-value-title=\"\(Markup.escaped(cells.valueTitle))\""
    }
    svg.element("image", attributes + " href=\"\(raster.dataURI)\"", title: "")
  }

  private func drawCells(_ cells: Cells, _ colours: ColourScale, in svg: inout SVGText) {
    for row in 0..<cells.rows {
      for column in 0..<cells.columns {
        let cell = cells.cells[row * cells.columns + column]
        guard let box = box(columns: column...column, rows: row...row) else { continue }
        let share = colours.share(cell.value)
        guard share != nil || cell.isHatched else { continue }
        let colour = share.map { colours.ramp.colour(at: $0) }
        svg.open("g")
        if !cell.title.isEmpty { svg.raw("<title>\(Markup.escaped(cell.title))</title>") }
        svg.rectangle(box, fill: colour.map(Paint.fixed) ?? .faint, stroke: .ground)
        if cell.isHatched {
          svg.raw("<rect\(SVGText.place(box.x, box.y))\(SVGText.size(box)) fill=\"url(#\(hatch))\"/>")
        }
        if let text = cell.text, TextWidth.of(text, size: 11) + 4 <= box.width, box.height >= 14 {
          label(text, in: box, colour, isHatched: cell.isHatched, in: &svg)
        }
        svg.close("g")
      }
    }
  }

  private func label(_ text: String, in box: Rectangle, _ colour: Colour?, isHatched: Bool, in svg: inout SVGText) {
    let (x, y) = (box.x + box.width / 2, box.y + box.height / 2)
    if isHatched {
      // Hatching would run through the text.
      let width = TextWidth.of(text, size: 11) + 6
      svg.rectangle(
        Rectangle(x: x - width / 2, y: y - 8, width: width, height: 15), fill: colour.map(Paint.fixed) ?? .faint)
    }
    let paint: Paint = colour.map { .fixed($0.isLight ? Colour(0, 0, 0) : Colour(255, 255, 255)) } ?? .ink
    svg.label(text, x, y + 4, .middle, size: 11, paint: paint)
  }

  private func box(columns: ClosedRange<Int>, rows: ClosedRange<Int>) -> Rectangle? {
    guard let left = layout.x.place(Double(columns.lowerBound) - 0.5),
      let right = layout.x.place(Double(columns.upperBound) + 0.5),
      let bottom = layout.y.place(Double(rows.lowerBound) - 0.5),
      let top = layout.y.place(Double(rows.upperBound) + 0.5)
    else { return nil }
    return Rectangle(x: left, y: top, width: right - left, height: bottom - top)
  }
}
