//! One TLS policy for every connection that leaves: ring, TLS 1.2 and 1.3, the system's roots (and
//! those of `SSL_CERT_FILE`); and which hosts may be talked to without it.

use std::sync::{Arc, OnceLock};

/// The policy with the system's roots, read once in a process.
///
/// # Errors
/// When the system has no roots.
pub(super) async fn config() -> Result<Arc<rustls::ClientConfig>, String> {
    static CONFIG: OnceLock<Result<Arc<rustls::ClientConfig>, String>> = OnceLock::new();
    // Reading the system's roots takes milliseconds that the machine's thread must not wait.
    let reading = tokio::task::spawn_blocking(|| CONFIG.get_or_init(of_the_system).clone());
    reading.await.map_err(|e| format!("TLS cannot be set up: {e}"))?
}

fn of_the_system() -> Result<Arc<rustls::ClientConfig>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "TLS roots");
    if roots.is_empty() {
        return Err("the system has no TLS root certificates; install ca-certificates \
                    or name a file in SSL_CERT_FILE"
            .to_owned());
    }
    trusting(roots).map(Arc::new)
}

/// The policy with these roots and no others.
///
/// # Errors
/// When ring and rustls do not fit together.
pub(super) fn trusting(roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether a host (of IPv6 without its brackets) is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
