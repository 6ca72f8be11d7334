import Foundation
import TestSupport
import Testing

extension Conformance {
    /// I: what edges show after a change.
    struct Freshness {
        @Test func `I1 I2 a publish is on every edge when it is answered, known absent or not`() async throws {
            let live = try Live.here
            for number in 1...10 {
                // As cargo does: it asks just before it uploads, so every edge remembers a 404 or the older file.
                _ = try await live.index("i1-crate")
                try await live.have(MadeCrate("i1-crate", "1.0.\(number)"))
                #expect(try await live.lines("i1-crate").count == number)
            }
        }

        // I5: monotonic reads, whichever edge one comes to.
        @Test func `I5 a client that has seen a newer file makes the edge ask`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("i5-crate", "1.0.0"))
            _ = try await live.index("i5-crate")
            let newer = "\"g18-\(String(repeating: "0", count: 64))\""
            for said in try await live.index("i5-crate") where said.place != "origin" {
                #expect(said["x-cache"] == "HIT", said.all)
            }
            for said in try await live.index("i5-crate", [("if-none-match", newer)]) {
                #expect(said.status == 200, said.all)
                if said.place != "origin" { #expect(said["x-cache"] == "MISS", said.all) }
            }
        }

        @Test func `I10 500 clients at once cost the origin one question`() async throws {
            let live = try Live.here
            let edge = live.system.edges[1]
            try await live.have(MadeCrate("i10-crate", "1.0.0"))
            let before = try await edge.originQuestions()
            let configuration = live.system.folder + "/i10"
            let line = "url = \"\(edge.url)/main/index/i1/0-/i10-crate\"\noutput = \"/dev/null\"\n"
            try String(repeating: line, count: 500).write(toFile: configuration, atomically: true, encoding: .utf8)
            let curl = try await runTool(
                "curl",
                [
                    "-s", "--parallel", "--parallel-max", "300", "--http1.1", "-K", configuration, "-w",
                    "%{http_code} %header{x-cache}\n",
                ])
            let answers = curl.output.split(separator: "\n")
            let others = answers.filter { !$0.hasPrefix("200 ") }
            #expect(answers.count == 500 && others.isEmpty, "\(Set(others)), \(others.count) of \(answers.count)")
            // Those who joined the one question are told MISS as well; whoever came later was served from memory.
            #expect(answers.contains("200 HIT"))
            let asked = try await edge.originQuestions(after: before)
            #expect(asked == 1, "the origin was asked \(asked) times")
        }
    }
}
