import NIOCore
import Registry
import TestSupport
import Testing

/// I8: an edge that is killed keeps what it had, and never serves half a file.
struct EdgeCrashTests {
    @Test func `I8: an edge killed in the middle of fills restarts warm and right`() async throws {
        var numbers = SeededNumbers("kill -9 of an edge")
        try await LiveSystem.with(edges: ["eu"]) { system in
            let registrar = try await Registrar(system.origin)
            let edge = system.edges[0]
            let crates = (0..<40).map { number in
                MadeCrate("hull-\(number)", "1.0.0")
                    .file("src/data.rs", (0..<20_000).map { "// \($0 &* (number + 7) &* 2_654_435_761)\n" }.joined())
            }
            for crate in crates {
                let answer = try await registrar.publish(crate, to: system.origin.url)
                try #require(answer.status == 200, "\(answer.text)")
            }
            let files = try crates.map { crate in
                let bytes = try crate.crate()
                return (path: "/main/crates/\(crate.name)/1.0.0/\(sha256(bytes)).crate", bytes: bytes)
            }
            // Found after a restart, so the catalogue has it: it stays. Files of the last moments may be fetched again.
            var settled: Set<Int> = []
            for round in 0..<8 {
                let wanted = Array(round * 5..<round * 5 + 5)
                let delay = Int.random(in: 0...150, using: &numbers)
                await withTaskGroup { group in
                    for number in wanted {
                        group.addTask {
                            guard let answer = try? await edge.get(files[number].path) else { return }
                            #expect(answer.body.readableBytesView.elementsEqual(files[number].bytes))
                        }
                    }
                    try? await Task.sleep(for: .milliseconds(delay))
                    await edge.killNow()
                }
                try await edge.start()
                // Before that, what it holds is asked for once more.
                try await edge.fresh()
                for number in 0..<(round + 1) * 5 {
                    let answer = try await edge.get(files[number].path)
                    #expect(answer.status == 200 && answer.body.readableBytesView.elementsEqual(files[number].bytes))
                    let isHeld = answer.header("x-cache") == "HIT"
                    #expect(isHeld || !settled.contains(number), "file \(number) was held after an earlier restart")
                    if isHeld { settled.insert(number) }
                }
            }
            #expect(settled.count >= 5)
            await system.origin.stop()
            for file in files {
                let answer = try await edge.get(file.path)
                #expect(answer.status == 200 && answer.body.readableBytesView.elementsEqual(file.bytes))
            }
        }
    }
}
