import Edge
import Foundation
import Hosting
import Origin
import Testing

/// docs/OPERATIONS.md against the tables in the code. `LONGSHORE_WRITE_DOCS=1` writes them into the page instead.
struct OperationsPageTests {
    private static let path = "docs/OPERATIONS.md"

    @Test(arguments: [
        ("origin", Settings.markdownTable(OriginConfig.table)), ("edge", Settings.markdownTable(EdgeConfig.table)),
        ("metrics", Metric.markdownTable()),
    ])
    func `the tables of settings and metrics are those of the code`(name: String, table: String) throws {
        let page = try Project.file(Self.path).lines.joined(separator: "\n")
        let mark = "<!-- generated: \(name) -->\n"
        let start = try #require(page.firstRange(of: mark)).upperBound
        let end = try #require(page[start...].firstRange(of: "<!-- end -->")).lowerBound
        let wanted = "\n\(table)\n"
        if ProcessInfo.processInfo.environment["LONGSHORE_WRITE_DOCS"] == "1" {
            let written = page.replacingCharacters(in: start..<end, with: wanted)
            try written.write(to: Project.folder.appending(path: Self.path), atomically: true, encoding: .utf8)
        } else {
            #expect(
                page[start..<end] == wanted,
                "write it anew: LONGSHORE_WRITE_DOCS=1 swift test --no-parallel --filter OperationsPageTests")
        }
    }
}
