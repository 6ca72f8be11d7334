import Crypto
import NIOCore
import Registry

/// All crates of a lock file at once, from where `dl` says, following redirects.
struct CrateDownloads {
    /// curl gives up after more; cargo allows 30.
    static let redirectsMax = 5

    private struct Item {
        let checksum: Checksum?
        var target: WireTarget
        var path: String
        var sendsToken: Bool
    }

    let place: RegistryPlace
    let template: DownloadTemplate
    /// cargo sends its token along only if `config.json` says that reading needs one.
    let token: String?

    /// - Returns: what happened, and the number of crates that did not come or were not what they should be.
    func run(
        _ crates: [LockFile.Locked], _ random: inout SeededRandom
    ) async -> (tally: PatientClient.Tally, connections: Int, failed: Int) {
        var (tally, connections, failed) = (PatientClient.Tally(), 0, 0)
        var waiting: [Item] = []
        for crate in crates {
            guard let item = item(crate) else {
                failed += 1
                continue
            }
            waiting.append(item)
        }
        for _ in 0...Self.redirectsMax where !waiting.isEmpty {
            var redirected: [Item] = []
            for (target, items) in Dictionary(grouping: waiting, by: \.target) {
                guard let client = try? place.client(for: target) else {
                    tally.errors["no TLS for \(target.authority)", default: 0] += 1
                    failed += items.count
                    continue
                }
                let (outcomes, one) = await client.ask(items.map(request), &random)
                tally.add(one)
                connections += client.wire.connectionsOpened
                await client.wire.close()
                for (item, outcome) in zip(items, outcomes) {
                    if let next = redirect(item, outcome) {
                        redirected.append(next)
                    } else if let wrong = wrong(item, outcome) {
                        failed += 1
                        if !wrong.isEmpty { tally.errors[wrong, default: 0] += 1 }
                    }
                }
            }
            waiting = redirected
        }
        if !waiting.isEmpty { tally.errors["too many redirects", default: 0] += waiting.count }
        return (tally, connections, failed + waiting.count)
    }

    private func item(_ crate: LockFile.Locked) -> Item? {
        let named = LockedCrates.Crate(
            name: crate.package.name, version: "\(crate.package.version)",
            sha256: crate.checksum.map { "\($0)" } ?? "")
        guard let base = WebBase(template.url(named)) else { return nil }
        return Item(
            checksum: crate.checksum, target: WireTarget(base, place.speech), path: base.path,
            sendsToken: token != nil)
    }

    private func request(_ item: Item) -> WireRequest {
        let headers = CargoHeaders(token: item.sendsToken ? token : nil)
        return WireRequest(path: item.path, fields: headers.crate, keepsBody: item.checksum != nil)
    }

    /// Another server gets no token, as libcurl has it.
    private func redirect(_ item: Item, _ outcome: WireOutcome) -> Item? {
        guard let redirect = WireRedirect(outcome, from: item.target, speech: place.speech) else { return nil }
        var next = item
        (next.target, next.path) = (redirect.target, redirect.path)
        next.sendsToken = item.sendsToken && next.target == item.target
        return next
    }

    /// - Returns: nil if all is well; empty for what is counted already.
    private func wrong(_ item: Item, _ outcome: WireOutcome) -> String? {
        guard case .success(let answer) = outcome else { return "" }
        guard answer.status == 200 else {
            return answer.status == 404 || answer.status < 400 ? "crate \(answer.status)" : ""
        }
        guard let checksum = item.checksum else { return nil }
        let hash = answer.body.withUnsafeReadableBytes { SHA256.hash(data: $0) }
        return Checksum(bytes: hash) == checksum ? nil : FetchMaker.wrongChecksum
    }
}
