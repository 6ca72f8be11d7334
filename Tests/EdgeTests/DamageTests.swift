import EdgeCache
import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// What an edge does with a data folder that is damaged, another's, or too small. Whatever happens, bytes are right (I8).
struct DamageTests {
    private let foo = "/main/index/3/f/foo"

    @Test(arguments: ["postgres", "public-url", "blobs/tmp", "notes.txt"])
    func `a folder that is not an edge's is refused, and nothing in it is touched`(stranger: String) async throws {
        try await withTemporaryFolder("stranger") { folder in
            let blob = "\(folder)/edge/blobs/ab/" + String(repeating: "ab", count: 32)
            for path in ["\(folder)/edge/blobs/ab", "\(folder)/edge/\(stranger)"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            try Data([1]).write(to: URL(filePath: blob))
            let origin = try await ScriptedOrigin.withFoo()
            await #expect(throws: FolderClaim.Stranger.self) {
                try await RunningEdge.run(origin, in: folder, isReady: false) { _ in }
            }
            #expect(FileManager.default.fileExists(atPath: blob))
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/edge/catalogue.sqlite"))
            try await origin.stop()
        }
    }

    @Test func `a folder of an edge before there were marks is taken over`() async throws {
        try await withTemporaryFolder("unmarked") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in _ = try await edge.get(foo) }
            try FileManager.default.removeItem(atPath: "\(folder)/edge/\(FolderClaim.markName)")
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).xCache == "HIT")
            }
            #expect(FileManager.default.fileExists(atPath: "\(folder)/edge/\(FolderClaim.markName)"))
            try await origin.stop()
        }
    }

    @Test func `the mark of another program's cache is no mark of an edge's`() async throws {
        try await withTemporaryFolder("tagged") { folder in
            // As cargo marks its target folders.
            let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a tag created by cargo.\n"
            let root = "\(folder)/edge"
            for path in ["\(root)/blobs/ab", "\(root)/incoming"] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
            let files = ["\(root)/blobs/ab/file", "\(root)/incoming/1", "\(root)/\(FolderClaim.markName)"]
            for path in files { try Data(tag.utf8).write(to: URL(filePath: path)) }
            let error = #expect(throws: FolderClaim.Stranger.self) { try FolderClaim.take(DiskLayout(root: root)) }
            #expect(error?.found == FolderClaim.markName)
            for path in files { #expect(try Data(contentsOf: URL(filePath: path)) == Data(tag.utf8)) }
            // Nor does an empty mark make a stranger's folder an edge's.
            try Data().write(to: URL(filePath: files[2]))
            #expect(throws: FolderClaim.Stranger.self) { try FolderClaim.take(DiskLayout(root: root)) }
        }
    }

    @Test(arguments: [true, false])
    func `a mark that a full disk left empty is written again`(hasCatalogue: Bool) async throws {
        try await withTemporaryFolder("half") { folder in
            let mark = URL(filePath: "\(folder)/\(FolderClaim.markName)")
            if hasCatalogue { try Data().write(to: URL(filePath: "\(folder)/catalogue.sqlite")) }
            try Data().write(to: mark)
            _ = try FolderClaim.take(DiskLayout(root: folder))
            let written = try Data(contentsOf: mark)
            #expect(String(decoding: written, as: UTF8.self).hasPrefix("Signature: 8a477f597d28d172789f06886806bc55\n"))
            _ = try FolderClaim.take(DiskLayout(root: folder))
            #expect(try Data(contentsOf: mark) == written)
        }
    }

    @Test func `a second edge in the folder of a running one is refused, and the first goes on`() async throws {
        try await withTemporaryFolder("shared") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(foo)
                let incoming = "\(folder)/edge/incoming/7"
                try Data([1]).write(to: URL(filePath: incoming))
                let error = await #expect(throws: FolderClaim.InUse.self) {
                    try await RunningEdge.run(origin, in: folder, isReady: false) { _ in }
                }
                #expect(error?.description.hasPrefix("another edge uses this folder (\(folder)/edge)") == true)
                #expect(FileManager.default.fileExists(atPath: incoming), "what the first one is writing stays")
                #expect(try await edge.get(foo).xCache == "HIT")
            }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).xCache == "HIT")
            }
            try await origin.stop()
        }
    }

    @Test func `a catalogue of a newer schema is moved aside and the edge starts cold`() async throws {
        try await withTemporaryFolder("newer") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            try await RunningEdge.run(origin, in: folder) { edge async throws in _ = try await edge.get(foo) }
            let path = "\(folder)/edge/catalogue.sqlite"
            var bytes = try Data(contentsOf: URL(filePath: path))
            // The last byte of SQLite's `user_version`.
            bytes[63] = 99
            try bytes.write(to: URL(filePath: path))
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).xCache == "MISS")
            }
            #expect(try Data(contentsOf: URL(filePath: path + ".unusable"))[63] == 99)
            try await origin.stop()
        }
    }

    /// By default 12; `LONGSHORE_DAMAGE_SEEDS=500` is the long run.
    static let seedsMax = ProcessInfo.processInfo.environment["LONGSHORE_DAMAGE_SEEDS"].flatMap { UInt64($0) } ?? 12

    @Test(arguments: 1...seedsMax)
    func `a catalogue with damage at random places never makes a wrong answer`(seed: UInt64) async throws {
        try await withTemporaryFolder("random") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            origin.change { $0.crates["main/\(download.file)"] = download.bytes }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(foo)
                _ = try await edge.get(download.path())
            }
            let path = "\(folder)/edge/catalogue.sqlite"
            var bytes = try Data(contentsOf: URL(filePath: path))
            var numbers = TestNumbers(seed)
            for _ in 0..<(seed % 32 + 1) * 4 {
                bytes[Int(numbers.next() % UInt64(bytes.count))] = UInt8(numbers.next() & 255)
            }
            try bytes.write(to: URL(filePath: path))
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(foo).body == "{\"name\":\"foo\",\"vers\":\"1.0.0\"}\n")
                #expect(try await edge.get(download.path()).bytes == download.bytes)
            }
            try await origin.stop()
        }
    }

    @Test func `folders that are deleted under a running edge are made again`() async throws {
        try await withTemporaryFolder("deleted") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let (first, second) = (try MadeDownload("foo", "1.0.0"), try MadeDownload("foo", "2.0.0", bytes: 7000))
            origin.change { script in
                for download in [first, second] { script.crates["main/\(download.file)"] = download.bytes }
            }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                #expect(try await edge.get(first.path()).xCache == "MISS")
                for name in ["blobs", "incoming"] {
                    try FileManager.default.removeItem(atPath: "\(folder)/edge/\(name)")
                }
                for download in [first, second] {
                    #expect(try await edge.get(download.path()).bytes == download.bytes)
                    #expect(try await edge.get(download.path()).xCache == "HIT")
                }
            }
            try await origin.stop()
        }
    }

    @Test func `a file that lost its end while the edge runs is fetched again`() async throws {
        try await withTemporaryFolder("short") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            let download = try MadeDownload("foo", "1.0.0")
            origin.change { $0.crates["main/\(download.file)"] = download.bytes }
            try await RunningEdge.run(origin, in: folder) { edge async throws in
                _ = try await edge.get(download.path())
                let hash = download.checksum.description
                let blob = URL(filePath: "\(folder)/edge/blobs/\(hash.prefix(2))/\(hash)")
                try Data(download.bytes.dropLast(100)).write(to: blob)
                #expect(try await edge.get(download.path()).bytes == download.bytes)
            }
            try await origin.stop()
        }
    }

    @Test func `more than fits on the disk passes through it, and the limit holds`() async throws {
        try await withTemporaryFolder("small") { folder in
            let origin = try await ScriptedOrigin.withFoo()
            // Three megabytes through one.
            let downloads = try (0..<15).map { try MadeDownload("foo", "\($0).0.0", bytes: 200_000 + $0) }
            origin.change { script in
                for download in downloads { script.crates["main/\(download.file)"] = download.bytes }
            }
            try await RunningEdge.run(origin, in: folder, diskBytesMax: 1 << 20) { edge async throws in
                for download in downloads + downloads.prefix(3) {
                    var answer = try await edge.get(download.path())
                    // What was asked for a moment ago is not evicted; a client waits and asks again, as cargo does.
                    for _ in 0..<50 where answer.status == 503 {
                        try await Task.sleep(for: .milliseconds(100))
                        answer = try await edge.get(download.path())
                    }
                    #expect(answer.status == 200)
                    #expect(answer.bytes == download.bytes)
                    #expect(try Self.blobBytes(folder) <= 1 << 20)
                }
            }
            try await origin.stop()
        }
    }

    /// What lies in the blob folder.
    private static func blobBytes(_ folder: String) throws -> Int {
        let root = "\(folder)/edge/blobs"
        return try FileManager.default.subpathsOfDirectory(atPath: root).reduce(0) { sum, path in
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(root)/\(path)")
            let isFile = facts?[.type] as? FileAttributeType == .typeRegular
            return sum + (isFile ? facts?[.size] as? Int ?? 0 : 0)
        }
    }
}

/// Numbers that are the same in every run.
private struct TestNumbers {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 16
    }
}
