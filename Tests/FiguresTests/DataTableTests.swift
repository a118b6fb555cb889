import Figures
import Testing

@Suite struct DataTableTests {
  private let table = DataTable(
    columns: ["epoch", "loss", "note"],
    rows: [
      [.init(100), .init(2.5e-7), .text("a, \"b\"")], [.init(200), .init(Double.nan), .text("<i>")],
      [.init(300), .absent, .absent],
    ])

  @Test func `CSV quotes what needs it, and leaves out what was not measured`() {
    #expect(table.csv == "epoch,loss,note\r\n100,2.5e-07,\"a, \"\"b\"\"\"\r\n200,,<i>\r\n300,,\r\n")
  }

  @Test func `a table escapes its words and says how many rows it leaves out`() {
    let html = table.html(limit: 2)
    #expect(html.contains("<td>&lt;i&gt;</td>"))
    #expect(html.contains("<td class=\"n\">2.5e-7</td>"))
    #expect(html.hasSuffix("<p>… and 1 more row.</p>"))
    #expect(!html.contains("300"))
  }

  @Test func `floats keep their own decimals, and grids four digits`() {
    let table = DataTable(
      columns: ["a", "b", "c"], rows: [[.init(Float(0.1)), .init(rounded: 0.123456), .init(rounded: -12345)]])
    #expect(table.csv == "a,b,c\r\n0.1,0.1235,-12350\r\n")
  }

  @Test func `values are said in four digits, the same way everywhere`() {
    let said = [0, 4.73, 0.01234567, 12_400, 123_456.7, 2.41e-7, 1e9, -0.5, 100, 0.001].map { NumberText.value($0) }
    #expect(said == ["0", "4.73", "0.01235", "12,400", "123,457", "2.41e-7", "1e9", "-0.5", "100", "0.001"])
    #expect(NumberText.value(nil) == "–" && NumberText.value(.nan) == "–")
  }
}
