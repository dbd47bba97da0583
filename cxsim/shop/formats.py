"""Every kind of export that is recognised. A new one is a module and a line here."""

from __future__ import annotations

from cxsim.shop.amazon import AMAZON_ORDERS
from cxsim.shop.format import Format
from cxsim.shop.freshdesk import FRESHDESK
from cxsim.shop.ga4 import GA4_EVENTS
from cxsim.shop.magento import MAGENTO_ORDERS
from cxsim.shop.own_tables import OWN_TABLES
from cxsim.shop.sessions import SESSION_TABLE
from cxsim.shop.shopify import SHOPIFY_ORDERS
from cxsim.shop.shopify_customers import SHOPIFY_CUSTOMERS
from cxsim.shop.survey_files import SURVEYMONKEY, TYPEFORM
from cxsim.shop.woocommerce import WOOCOMMERCE
from cxsim.shop.zendesk import ZENDESK_EXPLORE, ZENDESK_VIEW

FORMATS: tuple[Format, ...] = (
    SHOPIFY_ORDERS,
    SHOPIFY_CUSTOMERS,
    *WOOCOMMERCE,
    MAGENTO_ORDERS,
    AMAZON_ORDERS,
    ZENDESK_VIEW,
    ZENDESK_EXPLORE,
    FRESHDESK,
    TYPEFORM,
    SURVEYMONKEY,
    GA4_EVENTS,
    SESSION_TABLE,
    *OWN_TABLES,
)
