import Foundation
import NIOCore
import TestSupport
import Testing

/// What happens when a disk is full: the cause is told, nothing half done stays, and it goes on when there is room.
@Suite(.serialized, .enabled("needs root and mounts", { try await SmallDisk.isPossible() }))
struct FullDiskTests {
    /// Some four megabytes that don't compress.
    private func ballast() -> MadeCrate {
        var numbers = SeededNumbers("full disk")
        let text = (0..<250_000).map { _ in String(numbers.next(), radix: 36) }.joined(separator: " ")
        return MadeCrate("ballast", "1.0.0").file("src/data.txt", text)
    }

    private func download(_ crate: MadeCrate) throws -> String {
        "/main/crates/\(crate.name)/\(crate.version)/\(sha256(try crate.crate())).crate"
    }

    @Test func `I1: an upload for which the blobs' disk has no room is 507 and leaves nothing behind`() async throws {
        let disk = SmallDisk("blobs", kibibytes: 1024)
        try await LiveSystem.with(edges: [], originDisk: disk) { system in
            let origin = system.origin
            let registrar = try await Registrar(origin)
            #expect(try await registrar.publish(MadeCrate("anchor", "1.0.0"), to: origin.url).status == 200)
            let ballast = ballast()
            let refused = try await registrar.publish(ballast, to: origin.url)
            #expect(refused.status == 507)
            #expect(refused.text.contains("disk is full") && refused.text.contains("try again"), "\(refused.text)")
            #expect(try await httpGet(origin.url + "/main/index/ba/ll/ballast").status == 404)
            #expect(try await disk.files(below: origin.data, of: origin.process).count == 1)
            let verified = try await origin.command(["verify"])
            #expect(verified.text.contains("no problem; 0 orphan blobs, 0 unfinished uploads"), "\(verified.text)")

            try await disk.resize(32 << 10, below: origin.data, of: origin.process)
            #expect(try await registrar.publish(ballast, to: origin.url).status == 200)
            let file = try await httpGet(origin.url + download(ballast))
            #expect(sha256(file.body.readableBytesView) == sha256(try ballast.crate()))
        }
    }

    @Test func `a full disk of PostgreSQL is 507; reads go on, and so do publishes when there is room`() async throws {
        let disk = SmallDisk("postgres", kibibytes: 160 << 10)
        try await LiveSystem.with(edges: [], originDisk: disk) { system in
            let origin = system.origin
            let registrar = try await Registrar(origin)
            try await disk.fill(below: origin.data, of: origin.process)
            var accepted = 0
            var refused: (crate: MadeCrate, answer: HTTPAnswer)?
            // The server has some room in its own files; each crate takes a little of it.
            while refused == nil, accepted < 2000 {
                let crate = MadeCrate("cargo-\(accepted)", "1.0.0")
                let answer = try await registrar.publish(crate, to: origin.url)
                if answer.status == 200 { accepted += 1 } else { refused = (crate, answer) }
            }
            let (crate, answer) = try #require(refused)
            #expect(answer.status == 507)
            #expect(answer.text.contains("database disk is full"), "\(answer.text)")
            #expect(try await httpGet(origin.url + "/main/index/ca/rg/\(crate.name)").status == 404)
            #expect(try await httpGet(origin.url + "/main/index/ca/rg/cargo-0").status == (accepted > 0 ? 200 : 404))

            try await disk.empty(below: origin.data, of: origin.process)
            var status = 0
            for _ in 0..<60 where status != 200 {
                status = try await registrar.publish(crate, to: origin.url).status
                if status != 200 { try await Task.sleep(for: .milliseconds(500)) }
            }
            #expect(status == 200)
            let verified = try await origin.command(["verify"])
            #expect(verified.text.contains("verified \(accepted + 1) version"), "\(verified.text)")
        }
    }

    @Test func `an edge whose disk is full answers 503 for what it can't store, and is well when there is room`()
        async throws
    {
        // Four of the six mebibytes are the journal of reads; what is left does not hold the large crate.
        let disk = SmallDisk("", kibibytes: 6 << 10)
        try await LiveSystem.with(edges: ["eu"], edgeDisk: disk) { system in
            let edge = system.edges[0]
            let registrar = try await Registrar(system.origin)
            let (small, large) = (MadeCrate("anchor", "1.0.0"), ballast())
            for crate in [small, large] {
                #expect(try await registrar.publish(crate, to: system.origin.url).status == 200)
            }
            #expect(try await edge.get(download(small)).status == 200)
            let refused = try await edge.get(download(large))
            #expect(refused.status == 503)
            #expect(refused.header("retry-after") != nil)
            #expect(edge.process?.logTail.contains("this edge can't store what the origin sent") == true)
            // What it holds, and what needs no disk, is served as ever.
            #expect(try await edge.get(download(small)).header("x-cache") == "HIT")
            #expect(try await edge.get("/main/index/ba/ll/ballast").status == 200)

            try await disk.resize(64 << 10, below: edge.data, of: edge.process)
            let file = try await edge.get(download(large))
            #expect(file.status == 200)
            #expect(sha256(file.body.readableBytesView) == sha256(try large.crate()))
        }
    }
}
