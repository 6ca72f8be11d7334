import ArgumentParser
import FoundationEssentials

/// `longshore-bench report`: a table or a page of what was measured before.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes a table, or a page for a browser, of what `--json` printed before.",
        discussion: """
              longshore-bench resolve http://127.0.0.1:8081/main/index --json > cold.json
              longshore-bench report cold.json --html cold.html
            """)

    static let bytesMax = 64 << 20

    @Argument(help: "The file with the JSON.") var file: String
    @Option(help: ArgumentHelp("Writes the page here instead of printing a table.", valueName: "file")) var html:
        String?

    func run() async throws {
        guard let data = FileManager.default.contents(atPath: file), data.count <= Self.bytesMax else {
            throw BenchFailure("\(file) can't be read, or has more than \(Self.bytesMax >> 20) MiB")
        }
        struct Kind: Decodable {
            let format: Int
            let verb: String
        }
        guard let kind = try? JSONDecoder().decode(Kind.self, from: data) else {
            throw BenchFailure("\(file) is not what --json prints: it has no `format` and `verb`")
        }
        guard kind.format <= LoadReport.currentFormat else {
            throw BenchFailure("\(file) has format \(kind.format), of a newer longshore-bench; take that one")
        }
        guard kind.verb != "requests" else {
            throw BenchFailure("\(file) is of `requests`, whose page only --html makes, while it measures")
        }
        let report: LoadReport
        do { report = try JSONDecoder().decode(LoadReport.self, from: data) } catch {
            throw BenchFailure("\(file) is not what --json of this version prints: \(error)")
        }
        guard let html else { return print(LoadReportText(report: report).text) }
        try ReportFile.write(LoadPage(report).text, to: html)
    }
}
