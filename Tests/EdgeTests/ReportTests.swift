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
                try await edge.until("a fresh report") { origin.reports.last?.isFresh == true }
                let report = try #require(origin.reports.last)
                #expect(report.url == RunningEdge.publicURL && report.publicURL == RunningEdge.publicURL)
                #expect(report.applied == 1 && report.entries >= 1 && report.problem == nil)
            }
            try await origin.stop()
        }
    }
}
