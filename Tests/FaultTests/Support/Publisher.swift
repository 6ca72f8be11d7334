import Foundation
import NIOCore
import Synchronization
import TestSupport

/// Publishes and yanks at a low rate while a scenario runs, and remembers what was answered 200.
final class Publisher: Sendable {
    static let crates = (0..<4).map { "keel-\($0)" }

    /// A version whose publish was answered 200.
    struct Answered: Hashable, Sendable {
        let crate: String
        let version: String
        let sha256: String
        /// Nil: a yank was asked for and got no clear answer.
        var yanked: Bool?

        /// Where an edge serves the crate file.
        var path: String { "/main/crates/\(crate)/\(version)/\(sha256).crate" }
    }

    private let url: String
    private let token: String
    private let watch: Watch
    private let count = Mutex(0)
    private let log = Mutex<[Answered]>([])

    init(url: String, token: String, watch: Watch) {
        self.url = url
        self.token = token
        self.watch = watch
    }

    var answered: [Answered] { log.withLock { $0 } }

    /// One change: two publishes, then a yank of the newer one, and so on.
    ///
    /// - Returns: what now stands in the index, if the answer was 200.
    func step() async -> Answered? {
        let number = count.withLock { count in
            defer { count += 1 }
            return count
        }
        let newest = answered.last { Self.crates.contains($0.crate) }
        if number % 3 == 2, let newest, newest.yanked == false { return await yank(newest) }
        return await publish(MadeCrate(Self.crates[number / 3 % Self.crates.count], "1.0.\(number)"))
    }

    /// - Parameter onShelf: the watch downloads it over and over.
    @discardableResult
    func publish(_ crate: MadeCrate, to repository: String = "main", onShelf: Bool = true) async -> Answered? {
        guard let bytes = try? crate.crate(), let body = try? crate.publishBody() else { return nil }
        let answer = await send("PUT", "/\(repository)/api/v1/crates/new", body: ByteBuffer(bytes: body))
        guard answer == 200 else { return nil }
        let made = Answered(crate: crate.name, version: crate.version, sha256: sha256(bytes), yanked: false)
        guard repository == "main" else { return made }
        log.withLock { $0.append(made) }
        if onShelf { watch.put(made.path, sha256: made.sha256) }
        return made
    }

    private func yank(_ made: Answered) async -> Answered? {
        set(made, yanked: nil)
        let answer = await send("DELETE", "/main/api/v1/crates/\(made.crate)/\(made.version)/yank")
        guard answer == 200 else { return nil }
        return set(made, yanked: true)
    }

    @discardableResult
    private func set(_ made: Answered, yanked: Bool?) -> Answered? {
        log.withLock { log in
            guard let place = log.lastIndex(where: { $0.crate == made.crate && $0.version == made.version }) else {
                return nil
            }
            log[place].yanked = yanked
            return log[place]
        }
    }

    private func send(_ method: String, _ path: String, body: ByteBuffer? = nil) async -> Int? {
        do {
            let answer = try await httpCall(
                method, url + path, headers: [("authorization", token)], body: body, seconds: 30)
            watch.saw("\(answer.status)", as: "publisher")
            if ![200, 503, 507].contains(answer.status) {
                watch.object("the origin said \(answer.status) to a publisher: \(answer.text.prefix(200))")
            }
            return answer.status
        } catch {
            if !Task.isCancelled { watch.saw("none", as: "publisher") }
            return nil
        }
    }
}

/// One line of an index file, as far as these tests look at it.
struct Line: Decodable, Hashable {
    let vers: String
    let cksum: String
    let yanked: Bool

    static func all(in answer: HTTPAnswer) throws -> [Line] {
        try answer.text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }
}
