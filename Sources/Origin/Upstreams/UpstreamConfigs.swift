import Logging
import Registry

/// What an upstream's `config.json` says of its downloads.
struct UpstreamConfig: Hashable, Sendable {
    static let bytesMax = 64 << 10

    let download: DownloadTemplate
    /// It wants to see the credential with downloads too.
    let isAuthRequired: Bool

    /// - Returns: nil for what names no `dl`.
    init?(_ body: [UInt8]) {
        guard let object = try? JSONValue(parsing: body).object, let template = object["dl"]?.string else { return nil }
        download = DownloadTemplate(text: template)
        isAuthRequired = object["auth-required"]?.bool ?? false
    }
}

/// Keeps what `config.json` of each upstream says: read once for many downloads, asked again after five minutes whether it still
/// holds, and used on if that gets no useful answer.
actor UpstreamConfigs {
    private static let freshTime: Duration = .seconds(300)
    /// After a useless answer.
    private static let retryTime: Duration = .seconds(10)

    private struct Kept {
        /// As of which index it is.
        let index: UpstreamIndex
        let config: UpstreamConfig
        let validator: UpstreamValidator?
        var freshUntil: ContinuousClock.Instant
    }

    private let client: UpstreamClient
    private let logger: Logger
    /// By id of the upstream.
    private var kept: [Int64: Kept] = [:]
    private var asking: [Int64: Task<UpstreamConfig, any Error>] = [:]

    init(client: UpstreamClient, logger: Logger) {
        self.client = client
        self.logger = logger
    }

    /// - Throws: `UpstreamFault` if nothing is kept and none comes.
    func config(of upstream: Upstream) async throws -> UpstreamConfig {
        if let kept = kept(of: upstream), ContinuousClock.now < kept.freshUntil { return kept.config }
        if let running = asking[upstream.id] { return try await running.value }
        let task = Task {
            defer { asking[upstream.id] = nil }
            return try await ask(upstream)
        }
        asking[upstream.id] = task
        return try await task.value
    }

    private func kept(of upstream: Upstream) -> Kept? {
        kept[upstream.id].flatMap { $0.index == upstream.index ? $0 : nil }
    }

    private func ask(_ upstream: Upstream) async throws -> UpstreamConfig {
        let url = upstream.index.url + "config.json"
        let held = kept(of: upstream)
        do {
            let answer = try await client.file(
                url, of: upstream, known: held?.validator, bytesMax: UpstreamConfig.bytesMax)
            let new: (config: UpstreamConfig?, validator: UpstreamValidator?)
            switch answer {
            case .absent: new = (nil, nil)
            case .unchanged: new = (held?.config, held?.validator)
            case .file(let body, let validator): new = (UpstreamConfig(body), validator)
            }
            guard let config = new.config else { throw UpstreamFault("\(url) names no `dl`") }
            kept[upstream.id] = Kept(
                index: upstream.index, config: config, validator: new.validator,
                freshUntil: .now + Self.freshTime)
            return config
        } catch let fault as UpstreamFault {
            guard let held else { throw fault }
            logger.warning(
                "an upstream's config.json could not be read again; what it said before is used",
                metadata: ["upstream": "\(upstream.name)", "error": "\(fault)"])
            kept[upstream.id]?.freshUntil = .now + Self.retryTime
            return held.config
        }
    }
}
