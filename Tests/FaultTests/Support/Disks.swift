import Foundation
import TestSupport
import Testing

/// What is in an edge's folder.
extension LiveEdge {
    /// Of files that are being written.
    var incomingBytes: Int { Self.files(below: data + "/incoming").reduce(0) { $0 + $1.bytes } }

    var blobPaths: [String] { Self.files(below: data + "/blobs").map(\.path) }

    var blobBytes: Int { Self.files(below: data + "/blobs").reduce(0) { $0 + $1.bytes } }

    /// How many of them are on disk.
    func heldBlobs(of made: some Sequence<Publisher.Answered>) -> Int {
        let names = Set(blobPaths.map { String($0.suffix(64)) })
        return made.count { names.contains($0.sha256) }
    }

    private static func files(below folder: String) -> [(path: String, bytes: Int)] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.compactMap { name in
            let path = folder + "/" + name
            guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
                facts[.type] as? FileAttributeType == .typeRegular
            else { return nil }
            return (path, facts[.size] as? Int ?? 0)
        }
    }
}

extension MadeCrate {
    /// A crate of about this size that can't be made much smaller.
    static func large(_ name: String, _ version: String, bytes: Int = 3_000_000) -> MadeCrate {
        MadeCrate(name, version).file("src/data.txt", noise(bytes * 4 / 3, seed: name))
    }

    /// Letters without a pattern, six bits each; the same each time.
    static func noise(_ count: Int, seed: String) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-".utf8)
        var state = seed.utf8.reduce(UInt64(count)) { $0 &* 31 &+ UInt64($1) }
        var text: [UInt8] = []
        text.reserveCapacity(count)
        while text.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(letters[Int(state >> 58)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension String {
    /// Parts of `count` characters; the last may be shorter.
    func chunks(of count: Int) -> [Substring] {
        var (rest, parts) = (self[...], [Substring]())
        while !rest.isEmpty {
            parts.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return parts
    }
}

extension Scene {
    /// Starts the far edge again and waits until it is fresh.
    func startFar() async throws {
        let repair = ContinuousClock.now
        try await far.start()
        watch.mayBeDown(far.name, false)
        try await untilFresh(since: repair)
    }

    /// The far edge must have it within half a minute, and with the right bytes (I8).
    func mustServe(_ made: Publisher.Answered) async throws {
        try await until("\(far.name) serves \(made.crate) \(made.version)") {
            guard let answer = await watch.ask(far, made.path, as: "wanted crate") else { return false }
            if answer.status == 200 {
                #expect(sha256(answer.body) == made.sha256, "I8: \(made.path)")
                return true
            }
            try await Task.sleep(for: .milliseconds(200))
            return false
        }
    }
}
