struct LoadPage {
    let report: LoadReport
    init(_ report: LoadReport) { self.report = report }
    var text: String { "" }
}
