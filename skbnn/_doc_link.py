"""The link from an estimator's HTML representation to its page of the documentation."""


class DocumentationLink:
    """Mixin that tells scikit-learn where the page is, once ``project.urls`` in pyproject.toml names an address."""

    _doc_link_module = "skbnn"

    @property
    def _doc_link_template(self):
        """What scikit-learn fills in; it draws no link if this is empty."""
        address = documentation_address()
        return address and f"{address}/api/generated/{{estimator_module}}.{{estimator_name}}.html"


def documentation_address():
    """The address that the metadata of the installed package names, or an empty string."""
    from importlib.metadata import PackageNotFoundError, metadata  # an import that a notebook alone waits for

    try:
        entries = metadata("skbnn").get_all("Project-URL", [])
    except PackageNotFoundError:  # sources that are not installed
        return ""
    addresses = {
        label.strip().lower(): address.strip() for label, _, address in (one.partition(",") for one in entries)
    }
    return addresses.get("documentation", "").rstrip("/")
