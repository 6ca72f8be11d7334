import Registry
import TestSupport
import Testing

@testable import Edge

/// What an edge says of itself.
struct ReportTests {
    @Test func `an edge reports itself, and that it is fresh as soon as it is`() async throws {
        try await withTemporaryFolder("report") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge in
                try await edge.until("a fresh report") { origin.reports.contains { $0.isFresh } }
                let report = try #require(origin.reports.first { $0.isFresh })
                #expect(report.url == RunningEdge.publicURL && report.publicURL == RunningEdge.publicURL)
                #expect(report.applied == 1 && report.problem == nil)
                // The list of repositories may come a moment after the feed; the next report has it.
                try await edge.until("a report of what is held") { origin.reports.contains { $0.entries >= 1 } }
            }
            try await origin.stop()
        }
    }
}
