import EdgeCache
import Registry

/// What each kind of event does to the caches.
enum FeedEffects {
    /// - Parameter survivors: the list of repositories as it is held, without the one named; nil if none is held.
    static func changes(
        for event: RegistryEvent, survivors: (RepositoryName) -> CachedValue?
    ) -> [CacheChange] {
        switch event {
        case .index(let change):
            return [.drop(.index(change.repository, change.crate.indexPath), .index)]
        case .version(let repository, let crate, let version):
            // A version that can't be read can't be found among the downloads either.
            guard let version = try? Version(version) else { return [.distrust(repository)] }
            return [.dropGroup(.version(repository, crate, version))]
        case .token(let subject):
            return [.dropGroup(.subject(subject)), .dropGroup(.noToken), .endSubject(subject)]
        case .repository(let repository):
            // Its files stay as a fallback: a repository that is made again under its name has other content.
            return [
                .replace(.repositories, .repositories, kept: survivors(repository)), .distrust(repository),
            ]
        case .keys:
            // The old ones may not be used while the new ones are on their way: one of them may have been retired.
            return [.replace(.keys, .keys, kept: nil)]
        case .edges:
            return [.nothing]
        case .unknown:
            return [.distrustEverything]
        }
    }
}
